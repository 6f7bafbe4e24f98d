// Package bigchart makes a chart of the shape and size of kube-prometheus-stack, for tests and benchmarks: about 180
// templates and 1,700 leaves of values, and multiples of that.
//
// It is made up: no text of it comes from any chart.
package bigchart

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// File is one file of the chart, its name relative to the chart's folder.
type File struct {
	Name string
	Text string
}

// Counts of one size.
const (
	components = 19
	rules      = 35
	dashboards = 20
	subcharts  = 3
	parts      = 3 // of one subchart
)

// Supplied gives n values, one path each with a value, spread over components of the chart and over the verdicts.
func Supplied(n int) map[string]any {
	kinds := []struct {
		path  string
		value any
	}{
		{"replicas", int64(3)}, {"image.tag", "v9.9.9"}, {"service.nodePort", int64(30111)}, {"pdb.minAvailable", int64(2)},
		{"legacy.mode", "on"}, {"podLabels.team", "web"}, {"config.logLevel", "debug"}, {"probes.liveness.path", "/live"},
		{"autoscaling.max", int64(9)}, {"serviceMonitor.interval", "15s"}, {"revisionHistoryLimit", int64(10)},
		{"serviceAccount.annotations.owner", "{{ .Release.Name }}"}, {"resources.limits.cpu", "2"},
	}
	out := map[string]any{}
	for i := range n {
		k := kinds[i%len(kinds)]
		at := out
		keys := strings.Split(fmt.Sprintf("worker%02d.%s", 1+i%components, k.path), ".")
		for _, key := range keys[:len(keys)-1] {
			next, _ := at[key].(map[string]any)
			if next == nil {
				next = map[string]any{}
				at[key] = next
			}
			at = next
		}
		at[keys[len(keys)-1]] = k.value
	}
	return out
}

// Files gives the chart. Size 1 is the size of kube-prometheus-stack; what is in it is multiplied by size.
func Files(size int) []File {
	var out []File
	add := func(name, text string) { out = append(out, File{name, text}) }
	var b strings.Builder
	b.WriteString("apiVersion: v2\nname: big\nversion: 1.0.0\nappVersion: v1.2.3\ndependencies:\n")
	subs := []string{"logs", "metrics", "store"}[:subcharts]
	for _, s := range subs {
		fmt.Fprintf(&b, "- {name: %s, version: 1.0.0, condition: %s.enabled}\n", s, s)
	}
	add("Chart.yaml", b.String())

	b.Reset()
	b.WriteString(globalValues)
	for i := range rules * size {
		fmt.Fprintf(&b, "    group%03d: {enabled: %v, for: %dm}\n", i+1, i%5 != 4, 5+i%3)
	}
	for i := range components * size {
		b.WriteString(strings.NewReplacer("NAME", worker(i), "ENABLED", fmt.Sprint(i%7 != 6), "PORT", fmt.Sprint(8000+i)).Replace(componentValues))
	}
	add("values.yaml", b.String())

	add("templates/_helpers.tpl", helpers)
	add("templates/NOTES.txt", "{{ .Chart.Name }} runs as {{ .Release.Name }}. Level: {{ .Values.worker01.config.logLevel }}\n")
	for i := range components * size {
		for _, name := range slices.Sorted(maps.Keys(componentTemplates)) {
			add("templates/"+worker(i)+"/"+name+".yaml", strings.ReplaceAll(componentTemplates[name], "NAME", worker(i)))
		}
	}
	for i := range rules * size {
		add(fmt.Sprintf("templates/rules/group%03d.yaml", i+1), rule(i+1))
	}
	for i := range dashboards * size {
		add(fmt.Sprintf("templates/dashboards/board%03d.yaml", i+1), dashboard(i+1))
	}
	for _, s := range subs {
		out = append(out, subchart(s, size)...)
	}
	return out
}

func worker(i int) string { return fmt.Sprintf("worker%02d", i+1) }

const globalValues = `global:
  image: {registry: registry.example.com, pullPolicy: ""}
  labels: {}
  imagePullSecrets: []
  rbac: {create: true}
fullnameOverride: ""
namespaceOverride: ""
commonLabels: {part-of: big}
commonAnnotations: {}
logs: {enabled: true}
metrics: {enabled: true, part01: {level: warn}}
store: {enabled: true}
dashboards: {enabled: true, label: board, labelValue: "1", folder: ""}
rules:
  create: true
  severity: warning
  labels: {}
  groups:
`

const componentValues = `NAME:
  enabled: ENABLED
  replicas: 1
  nameOverride: ""
  revisionHistoryLimit: 10
  image: {registry: "", repository: big/NAME, tag: "", digest: "", pullPolicy: IfNotPresent}
  resources:
    requests: {cpu: 100m, memory: 128Mi}
    limits: {cpu: "1", memory: 256Mi}
  podAnnotations: {}
  podLabels: {}
  annotations: {note: "{{ .Release.Name }} of {{ .Chart.Name }}"}
  nodeSelector: {kubernetes.io/os: linux}
  tolerations: []
  affinity: {}
  priorityClassName: ""
  podSecurityContext: {runAsNonRoot: true, runAsUser: 65534, fsGroup: 65534, seccompProfile: {type: RuntimeDefault}}
  securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
  service:
    {type: ClusterIP, port: PORT, targetPort: http, nodePort: 0, annotations: {}, labels: {}, clusterIP: "", externalIPs: [], loadBalancerIP: "", sessionAffinity: ""}
  serviceMonitor: {enabled: true, interval: "", scrapeTimeout: "", honorLabels: true, path: /metrics, scheme: http, relabelings: [], metricRelabelings: [], labels: {}}
  serviceAccount: {create: true, name: "", annotations: {}, automount: true}
  config: {logLevel: info, logFormat: json, retention: 10d, workers: 4, cacheSize: 128, features: {compaction: true}}
  extraEnv: [{name: POD_ZONE, value: a}]
  args: {web.timeout: 30s, web.limit: 100, storage.path: /data}
  legacy: {mode: "off"}
  probes:
    liveness: {path: /healthz, initialDelaySeconds: 5, periodSeconds: 10}
    readiness: {path: /ready, initialDelaySeconds: 1, periodSeconds: 5}
  pdb: {enabled: false, minAvailable: 1}
  autoscaling: {enabled: false, min: 1, max: 3, targetCPU: 80}
`

const helpers = `{{- define "big.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end }}
{{- define "big.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "big.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end }}
{{- define "big.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride -}}
{{- end }}
{{- define "big.component" -}}
{{- $own := index .root.Values .name -}}
{{- printf "%s-%s" (include "big.fullname" .root) (default .name $own.nameOverride) -}}
{{- end }}
{{- define "big.labels" -}}
app.kubernetes.io/name: {{ include "big.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/component: {{ .name }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- with .root.Values.global.labels }}
{{ toYaml . }}
{{- end }}
{{- end }}
{{- define "big.selector" -}}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .name }}
{{- end }}
{{- define "big.image" -}}
{{- $registry := coalesce .image.registry .root.Values.global.image.registry -}}
{{- $tag := default .root.Chart.AppVersion .image.tag -}}
{{- if .image.digest -}}
{{- printf "%s/%s@%s" $registry .image.repository .image.digest -}}
{{- else -}}
{{- printf "%s/%s:%s" $registry .image.repository $tag -}}
{{- end -}}
{{- end }}
{{- define "big.serviceaccount" -}}
{{- $own := index .root.Values .name -}}
{{- ternary (default (include "big.component" .) $own.serviceAccount.name) (default "default" $own.serviceAccount.name) $own.serviceAccount.create -}}
{{- end }}
{{- define "big.tpl" -}}
{{- range $k, $v := .map }}
{{ $k }}: {{ tpl (toString $v) $.root | quote }}
{{- end }}
{{- end }}
`

var componentTemplates = map[string]string{
	"deployment": `{{- $own := .Values.NAME }}
{{- $ctx := dict "root" . "name" "NAME" }}
{{- if $own.enabled }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "big.component" $ctx }}
  namespace: {{ include "big.namespace" . }}
  labels:
    {{- include "big.labels" $ctx | nindent 4 }}
  {{- if or $own.annotations .Values.commonAnnotations }}
  annotations:
    {{- include "big.tpl" (dict "map" $own.annotations "root" .) | nindent 4 }}
    {{- with .Values.commonAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- end }}
spec:
  {{- if not $own.autoscaling.enabled }}
  replicas: {{ $own.replicas }}
  {{- end }}
  revisionHistoryLimit: {{ $own.revisionHistoryLimit }}
  selector:
    matchLabels:
      {{- include "big.selector" $ctx | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "big.labels" $ctx | nindent 8 }}
        {{- with $own.podLabels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- with $own.podAnnotations }}
      annotations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      serviceAccountName: {{ include "big.serviceaccount" $ctx }}
      {{- with .Values.global.imagePullSecrets }}
      imagePullSecrets:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $own.priorityClassName }}
      priorityClassName: {{ . }}
      {{- end }}
      securityContext:
        {{- toYaml $own.podSecurityContext | nindent 8 }}
      containers:
      - name: NAME
        image: {{ include "big.image" (dict "image" $own.image "root" .) | quote }}
        imagePullPolicy: {{ default $own.image.pullPolicy .Values.global.image.pullPolicy }}
        args:
        {{- range $k, $v := $own.args }}
        - --{{ $k }}={{ $v }}
        {{- end }}
        - --log.level={{ $own.config.logLevel }}
        {{- with $own.extraEnv }}
        env:
          {{- toYaml . | nindent 10 }}
        {{- end }}
        ports:
        - {name: http, containerPort: {{ $own.service.port }}}
        livenessProbe:
          httpGet: {path: {{ $own.probes.liveness.path }}, port: http}
          initialDelaySeconds: {{ $own.probes.liveness.initialDelaySeconds }}
          periodSeconds: {{ $own.probes.liveness.periodSeconds }}
        readinessProbe:
          httpGet: {path: {{ $own.probes.readiness.path }}, port: http}
          initialDelaySeconds: {{ $own.probes.readiness.initialDelaySeconds }}
          periodSeconds: {{ $own.probes.readiness.periodSeconds }}
        resources:
          {{- toYaml $own.resources | nindent 10 }}
        securityContext:
          {{- toYaml $own.securityContext | nindent 10 }}
      {{- with $own.nodeSelector }}
      nodeSelector:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $own.affinity }}
      affinity:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $own.tolerations }}
      tolerations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
{{- if $own.autoscaling.enabled }}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ include "big.component" $ctx }}
  namespace: {{ include "big.namespace" . }}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: {{ include "big.component" $ctx }}}
  minReplicas: {{ $own.autoscaling.min }}
  maxReplicas: {{ $own.autoscaling.max }}
  metrics:
  - type: Resource
    resource: {name: cpu, target: {type: Utilization, averageUtilization: {{ $own.autoscaling.targetCPU }}}}
{{- end }}
{{- end }}
`,
	"service": `{{- $own := .Values.NAME }}
{{- $ctx := dict "root" . "name" "NAME" }}
{{- if $own.enabled }}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "big.component" $ctx }}
  namespace: {{ include "big.namespace" . }}
  labels:
    {{- include "big.labels" $ctx | nindent 4 }}
    {{- with $own.service.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with $own.service.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  type: {{ $own.service.type }}
  {{- with $own.service.clusterIP }}
  clusterIP: {{ . }}
  {{- end }}
  {{- with $own.service.externalIPs }}
  externalIPs:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if and (eq $own.service.type "LoadBalancer") $own.service.loadBalancerIP }}
  loadBalancerIP: {{ $own.service.loadBalancerIP }}
  {{- end }}
  {{- with $own.service.sessionAffinity }}
  sessionAffinity: {{ . }}
  {{- end }}
  ports:
  - name: http
    port: {{ $own.service.port }}
    targetPort: {{ $own.service.targetPort }}
    {{- if and (eq $own.service.type "NodePort") $own.service.nodePort }}
    nodePort: {{ $own.service.nodePort }}
    {{- end }}
  selector:
    {{- include "big.selector" $ctx | nindent 4 }}
{{- if $own.pdb.enabled }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "big.component" $ctx }}
  namespace: {{ include "big.namespace" . }}
spec:
  minAvailable: {{ $own.pdb.minAvailable }}
  selector:
    matchLabels:
      {{- include "big.selector" $ctx | nindent 6 }}
{{- end }}
{{- end }}
`,
	"servicemonitor": `{{- $own := .Values.NAME }}
{{- $ctx := dict "root" . "name" "NAME" }}
{{- if and $own.enabled $own.serviceMonitor.enabled }}
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata:
  name: {{ include "big.component" $ctx }}
  namespace: {{ include "big.namespace" . }}
  labels:
    {{- include "big.labels" $ctx | nindent 4 }}
    {{- with $own.serviceMonitor.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  selector:
    matchLabels:
      {{- include "big.selector" $ctx | nindent 6 }}
  endpoints:
  - port: http
    path: {{ $own.serviceMonitor.path }}
    scheme: {{ $own.serviceMonitor.scheme }}
    honorLabels: {{ $own.serviceMonitor.honorLabels }}
    {{- with $own.serviceMonitor.interval }}
    interval: {{ . }}
    {{- end }}
    {{- with $own.serviceMonitor.scrapeTimeout }}
    scrapeTimeout: {{ . }}
    {{- end }}
    {{- with $own.serviceMonitor.metricRelabelings }}
    metricRelabelings:
      {{- tpl (toYaml .) $ | nindent 6 }}
    {{- end }}
    {{- with $own.serviceMonitor.relabelings }}
    relabelings:
      {{- toYaml . | nindent 6 }}
    {{- end }}
{{- end }}
`,
	"configmap": `{{- $own := .Values.NAME }}
{{- $ctx := dict "root" . "name" "NAME" }}
{{- if $own.enabled }}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "big.component" $ctx }}
  namespace: {{ include "big.namespace" . }}
  labels:
    {{- include "big.labels" $ctx | nindent 4 }}
data:
  config.yaml: |
    {{- toYaml (omit $own.config "workers") | nindent 4 }}
    workers: {{ max 1 (int $own.config.workers) }}
    address: {{ printf "%s.%s.svc" (include "big.component" $ctx) (include "big.namespace" .) }}
{{- end }}
`,
	"serviceaccount": `{{- $own := .Values.NAME }}
{{- $ctx := dict "root" . "name" "NAME" }}
{{- if and $own.enabled $own.serviceAccount.create .Values.global.rbac.create }}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "big.serviceaccount" $ctx }}
  namespace: {{ include "big.namespace" . }}
  labels:
    {{- include "big.labels" $ctx | nindent 4 }}
  {{- with $own.serviceAccount.annotations }}
  annotations:
    {{- include "big.tpl" (dict "map" . "root" $) | nindent 4 }}
  {{- end }}
automountServiceAccountToken: {{ $own.serviceAccount.automount }}
{{- end }}
`,
}

// rule is a group of alerts that are the same but for one or two values.
func rule(n int) string {
	var b strings.Builder
	fmt.Fprintf(&b, `{{- $own := .Values.rules.groups.group%03d }}
{{- if and .Values.rules.create $own.enabled }}
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: {{ printf "%%s-group%03d" (include "big.fullname" .) | trunc 63 }}
  namespace: {{ include "big.namespace" . }}
  labels:
    {{- include "big.labels" (dict "root" . "name" "rules") | nindent 4 }}
spec:
  groups:
  - name: group%03d
    rules:
`, n, n, n)
	for i := range 10 {
		fmt.Fprintf(&b, `    - alert: Group%03dAlert%02d
      annotations:
        summary: '{{"{{"}} $labels.instance {{"}}"}} is slower than it should be, for the reason of number %d.'
        runbook: https://example.com/runbooks/group%03d/alert%02d
      expr: sum by (instance) (rate(requests_seconds_count{job="group%03d", code=~"5.."}[5m])) / sum by (instance) (rate(requests_seconds_count{job="group%03d"}[5m])) > 0.%02d
      for: {{ $own.for }}
      labels:
        severity: {{ .Values.rules.severity }}
        {{- with .Values.rules.labels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
`, n, i, i, n, i, n, n, i+1)
	}
	b.WriteString("{{- end }}\n")
	return b.String()
}

// dashboard is a ConfigMap of some 15 KiB, nearly all of it the template's own text.
func dashboard(n int) string {
	var b strings.Builder
	fmt.Fprintf(&b, `{{- if .Values.dashboards.enabled }}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ printf "%%s-board%03d" (include "big.fullname" .) | trunc 63 }}
  namespace: {{ include "big.namespace" . }}
  labels:
    {{ .Values.dashboards.label }}: {{ .Values.dashboards.labelValue | quote }}
    {{- include "big.labels" (dict "root" . "name" "dashboards") | nindent 4 }}
  {{- with .Values.dashboards.folder }}
  annotations: {folder: {{ . }}}
  {{- end }}
data:
  board%03d.json: |-
    {
`, n, n)
	for i := range 60 {
		fmt.Fprintf(&b, `      "panel%02d": {"id": %d, "type": "graph", "title": "Panel %d of board %d", "gridPos": {"h": 8, "w": 12, "x": %d, "y": %d}, "targets": [{"expr": "sum(rate(series_%d_total[5m])) by (instance)", "legend": "instance"}]},
`, i, i, i, n, i%2*12, i/2*8, n*100+i)
	}
	b.WriteString("      \"version\": 1\n    }\n{{- end }}\n")
	return b.String()
}

func subchart(name string, size int) []File {
	at := "charts/" + name + "/"
	out := []File{{at + "Chart.yaml", "apiVersion: v2\nname: " + name + "\nversion: 1.0.0\nappVersion: v0.1.0\n"}}
	var b strings.Builder
	b.WriteString("nameOverride: \"\"\nlabels: {}\nimage: {repository: big/" + name + ", tag: \"\", pullPolicy: IfNotPresent}\n")
	for i := range parts * size {
		part := fmt.Sprintf("part%02d", i+1)
		b.WriteString(strings.ReplaceAll(partValues, "PART", part))
		for _, file := range slices.Sorted(maps.Keys(partTemplates)) {
			text := strings.NewReplacer("SUB", name, "PART", part).Replace(partTemplates[file])
			out = append(out, File{at + "templates/" + part + "/" + file + ".yaml", text})
		}
	}
	return append(out, File{at + "values.yaml", b.String()}, File{at + "templates/_helpers.tpl", strings.ReplaceAll(partHelpers, "SUB", name)})
}

const partValues = `PART:
  level: info
  replicas: 1
  port: 9000
  path: /var/PART
  labels: {}
  annotations: {}
  extraArgs: []
  resources: {requests: {cpu: 10m, memory: 32Mi}}
  env: {MODE: fast, ZONE: a}
  persistence: {enabled: false, size: 1Gi, storageClass: "", accessModes: [ReadWriteOnce]}
  unused: {left: over}
`

const partHelpers = `{{- define "SUB.fullname" -}}
{{- printf "%s-%s" .Release.Name (default .Chart.Name .Values.nameOverride) | trunc 50 | trimSuffix "-" -}}
{{- end }}
{{- define "SUB.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- with merge (dict) .Values.labels (default dict .Values.global.labels) }}
{{ toYaml . }}
{{- end }}
{{- end }}
`

var partTemplates = map[string]string{
	"statefulset": `{{- with .Values.PART }}
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: {{ include "SUB.fullname" $ }}-PART
  labels:
    {{- include "SUB.labels" $ | nindent 4 }}
    {{- with .labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  replicas: {{ .replicas }}
  serviceName: {{ include "SUB.fullname" $ }}-PART
  selector:
    matchLabels: {part: PART}
  template:
    metadata:
      labels: {part: PART}
      {{- with .annotations }}
      annotations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      containers:
      - name: PART
        image: {{ printf "%s/%s:%s" $.Values.global.image.registry $.Values.image.repository (default $.Chart.AppVersion $.Values.image.tag) }}
        imagePullPolicy: {{ $.Values.global.image.pullPolicy | default $.Values.image.pullPolicy }}
        args:
        - --level={{ .level }}
        - --path={{ .path }}
        {{- range .extraArgs }}
        - {{ . }}
        {{- end }}
        env:
        {{- range $k, $v := .env }}
        - {name: {{ $k }}, value: {{ $v | quote }}}
        {{- end }}
        resources:
          {{- toYaml .resources | nindent 10 }}
  {{- if .persistence.enabled }}
  volumeClaimTemplates:
  - metadata: {name: data}
    spec:
      accessModes:
        {{- toYaml .persistence.accessModes | nindent 8 }}
      {{- with .persistence.storageClass }}
      storageClassName: {{ . }}
      {{- end }}
      resources: {requests: {storage: {{ .persistence.size }}}}
  {{- end }}
{{- end }}
`,
	"service": `apiVersion: v1
kind: Service
metadata:
  name: {{ include "SUB.fullname" . }}-PART
  labels:
    {{- include "SUB.labels" . | nindent 4 }}
spec:
  ports:
  - {name: http, port: {{ .Values.PART.port }}}
  selector: {part: PART}
`,
	"configmap": `apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "SUB.fullname" . }}-PART
  labels:
    {{- include "SUB.labels" . | nindent 4 }}
data:
  level: {{ .Values.PART.level | quote }}
`,
}
