package kgateway

import (
	"slices"
	"strings"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/finding"
)

// builtIn is a field that the controller itself writes, whatever anybody says or unless somebody does.
type builtIn struct {
	controller, versions string
	kind, field          string
	value                any
	without              string // it is not written if the parameters set this path
	waypoint             bool   // waypoints too
}

// gatewayName stands in builtIn.value for the name of the Gateway, className for that of its GatewayClass.
type (
	gatewayName struct{}
	className   struct{}
)

const (
	nameLabel      = `["app.kubernetes.io/name"]`
	instanceLabel  = `["app.kubernetes.io/instance"]`
	gatewayLabel   = `["gateway.networking.k8s.io/gateway-name"]`
	classLabel     = `["gateway.networking.k8s.io/gateway-class-name"]`
	managedByLabel = `["app.kubernetes.io/managed-by"]`
	componentLabel = `["app.kubernetes.io/component"]`

	known = ">=2.0.0 <2.5.0-0"                     // the lines of kgateway that the tables here are about
	seen  = ">=2.0.0 <2.1.0-0 || >=2.4.0 <2.5.0-0" // those of which what the controller makes has been seen
)

// builtIns are the fields of which it is known what the controller writes; it writes many more.
// Source: objects that kgateway 2.0.0 and 2.4.0 made, and the deployer's defaults between them.
var builtIns = []builtIn{
	{Envoy, ">=2.0.0 <2.1.0-0", "Deployment", "spec.replicas", int64(1), "", true}, // unset later, so that an autoscaler can decide
	{Envoy, known, "Service", "spec.type", "LoadBalancer", "", false},

	{Envoy, known, "Deployment", container + "securityContext.allowPrivilegeEscalation", false, "kube.omitDefaultSecurityContext", true},
	{Envoy, known, "Deployment", container + "securityContext.readOnlyRootFilesystem", true, "kube.omitDefaultSecurityContext", true},
	{Envoy, known, "Deployment", container + "securityContext.runAsNonRoot", true, "kube.omitDefaultSecurityContext", true},
	{Envoy, known, "Deployment", container + "securityContext.runAsUser", int64(10101), "kube.omitDefaultSecurityContext", true},
	{Envoy, known, "Deployment", container + "securityContext.capabilities.drop", []any{"ALL"}, "kube.omitDefaultSecurityContext", true},

	{Envoy, ">=2.0.0 <2.1.0-0", "Deployment", container + "securityContext.capabilities.add", []any{"NET_BIND_SERVICE"}, "kube.omitDefaultSecurityContext", true},

	{Envoy, known, "Deployment", container + "env[POD_NAME].valueFrom.fieldRef.fieldPath", "metadata.name", "", true},
	{Envoy, known, "Deployment", container + "env[POD_NAMESPACE].valueFrom.fieldRef.fieldPath", "metadata.namespace", "", true},
	{Envoy, known, "Deployment", container + "env[ENVOY_UID].value", "0", "", true},

	{Envoy, ">=2.4.0 <2.5.0-0", "Deployment", container + "env[POD_UID].valueFrom.fieldRef.fieldPath", "metadata.uid", "", true},
	{Envoy, ">=2.4.0 <2.5.0-0", "Deployment", container + "env[NODE_NAME].valueFrom.fieldRef.fieldPath", "spec.nodeName", "", true},
	{Envoy, known, "Deployment", pod + "serviceAccountName", gatewayName{}, "", true},
	{Envoy, known, "Deployment", "spec.template.metadata.annotations" + `["prometheus.io/path"]`, "/metrics", "kube.stats", true},
	{Envoy, known, "Deployment", "spec.template.metadata.annotations" + `["prometheus.io/port"]`, "9091", "kube.stats", true},
	{Envoy, known, "Deployment", "spec.template.metadata.annotations" + `["prometheus.io/scrape"]`, "true", "kube.stats", true},

	{Envoy, known, "Deployment", "metadata.labels" + gatewayLabel, gatewayName{}, "", true},
	{Envoy, known, "Deployment", "metadata.labels" + nameLabel, gatewayName{}, "", true},
	{Envoy, known, "Deployment", "metadata.labels" + instanceLabel, gatewayName{}, "", true},
	{Envoy, ">=2.0.0 <2.2.0-0", "Deployment", "metadata.labels" + managedByLabel, "Helm", "", true},
	{Envoy, ">=2.2.0 <2.5.0-0", "Deployment", "metadata.labels" + managedByLabel, "kgateway", "", true},
	{Envoy, known, "Deployment", "metadata.labels.kgateway", "kube-gateway", "", true},
	{Envoy, ">=2.4.0 <2.5.0-0", "Deployment", "metadata.labels" + classLabel, className{}, "", true},
	{Envoy, ">=2.3.0 <2.5.0-0", "Deployment", "metadata.labels" + componentLabel, "proxy", "", true},
	{Envoy, ">=2.4.0 <2.5.0-0", "Deployment", "spec.template.metadata.labels" + componentLabel, "proxy", "", true},
	{Envoy, ">=2.4.0 <2.5.0-0", "Deployment", "spec.template.metadata.labels.kgateway", "kube-gateway", "", true},
	{Envoy, known, "Deployment", "spec.template.metadata.labels" + gatewayLabel, gatewayName{}, "", true},
	{Envoy, known, "Deployment", "spec.template.metadata.labels" + nameLabel, gatewayName{}, "", true},
	{Envoy, known, "Deployment", "spec.template.metadata.labels" + instanceLabel, gatewayName{}, "", true},
	{Envoy, ">=2.4.0 <2.5.0-0", "Deployment", "spec.template.metadata.labels" + classLabel, className{}, "", true},
	{Envoy, known, "Service", "metadata.labels" + gatewayLabel, gatewayName{}, "", true},
	{Envoy, known, "Service", "metadata.labels" + nameLabel, gatewayName{}, "", true},
	{Envoy, known, "Service", "metadata.labels" + instanceLabel, gatewayName{}, "", true},
	{Envoy, known, "Service", "metadata.labels.kgateway", "kube-gateway", "", true},
	{Envoy, ">=2.0.0 <2.2.0-0", "Service", "metadata.labels" + managedByLabel, "Helm", "", true},
	{Envoy, ">=2.2.0 <2.5.0-0", "Service", "metadata.labels" + managedByLabel, "kgateway", "", true},
	{Envoy, ">=2.4.0 <2.5.0-0", "Service", "metadata.labels" + componentLabel, "proxy", "", true},
	{Envoy, ">=2.4.0 <2.5.0-0", "Service", "metadata.labels" + classLabel, className{}, "", true},
	{Envoy, known, "Service", "spec.selector" + gatewayLabel, gatewayName{}, "", true},
	{Envoy, known, "Service", "spec.selector" + nameLabel, gatewayName{}, "", true},
	{Envoy, known, "Service", "spec.selector" + instanceLabel, gatewayName{}, "", true},

	{Envoy, ">=2.4.0 <2.5.0-0", "Deployment", pod + "terminationGracePeriodSeconds", int64(60), "", true},
	{Envoy, ">=2.4.0 <2.5.0-0", "Deployment", container + "readinessProbe.httpGet.path", "/ready", "kube.podTemplate.readinessProbe", true},
	{Envoy, ">=2.4.0 <2.5.0-0", "Deployment", container + "readinessProbe.httpGet.port", int64(8082), "kube.podTemplate.readinessProbe", true},
	{Envoy, ">=2.4.0 <2.5.0-0", "Deployment", container + "readinessProbe.periodSeconds", int64(10), "kube.podTemplate.readinessProbe", true},
	{Envoy, ">=2.4.0 <2.5.0-0", "Deployment", container + "startupProbe.httpGet.path", "/ready", "kube.podTemplate.startupProbe", true},
	{Envoy, ">=2.4.0 <2.5.0-0", "Deployment", container + "startupProbe.httpGet.port", int64(8082), "kube.podTemplate.startupProbe", true},
	{Envoy, ">=2.4.0 <2.5.0-0", "Deployment", container + "startupProbe.periodSeconds", int64(1), "kube.podTemplate.startupProbe", true},
	{Envoy, ">=2.4.0 <2.5.0-0", "Deployment", container + "startupProbe.timeoutSeconds", int64(2), "kube.podTemplate.startupProbe", true},
	{Envoy, ">=2.4.0 <2.5.0-0", "Deployment", container + "startupProbe.failureThreshold", int64(60), "kube.podTemplate.startupProbe", true},
}

// unsure are fields that some versions write and others do not: nothing is said of them unless the version is known.
var unsure = []struct{ versions, field string }{
	{">=2.1.0-0 <2.4.0-0", container + "securityContext.capabilities.add"}, // NET_BIND_SERVICE in some
}

// builtIn lists what the controller itself writes to a proxy.
func (c chain) builtIn(version string) []Want {
	var out []Want
	within := map[string]bool{} // the ranges are few, and dear to parse
	within[seen] = Within(version, seen)
	for _, b := range builtIns {
		if _, asked := within[b.versions]; !asked {
			within[b.versions] = Within(version, b.versions)
		}
		if b.controller != c.proxy.Controller || !within[b.versions] || !b.waypoint && c.proxy.waypoint() || b.without != "" && len(c.said(b.without)) > 0 {
			continue
		}
		v := b.value
		switch v.(type) {
		case gatewayName:
			v = c.proxy.Gateway.GetName()
		case className:
			v = c.proxy.Class.GetName()
		}
		if text, ok := v.(string); ok && len(text) > 63 {
			continue // a label holds no more: what is left of it depends on the version
		}
		if !c.there(b.kind) || b.field == container+"securityContext.runAsUser" && len(c.said("kube.floatingUserId")) > 0 {
			continue
		}
		w := Want{Field: c.at(b.kind, b.field), Value: v, Said: []Said{{Value: v}}}
		if c.live(w.Field) == any(rendering.Absent{}) && !(within[seen] && c.whole(w.Field)) {
			continue
		}
		out = append(out, w)
	}
	return out
}

// whole says whether the live object has the table or list that a field is in. One that lacks all of it was made by
// hand, or by a version that has none.
func (c chain) whole(f finding.Field) bool {
	end := strings.LastIndexAny(strings.TrimSuffix(f.Field, "]"), ".[")
	switch i := strings.Index(f.Field, ".env["); {
	case i > 0:
		end = i + len(".env")
	case strings.HasSuffix(f.Field, `"]`):
		end = strings.LastIndex(f.Field, `["`)
	}
	f.Field = f.Field[:max(0, end)]
	return c.object(f.Kind) != nil && !isEmpty(c.live(f))
}

// arguments are those of Envoy, of which one is a setting. Nothing is said where there are more.
func (c chain) arguments(version string) []Want {
	const bootstrap = "kube.envoyContainer.bootstrap."
	f := c.at("Deployment", container+"args")
	if c.proxy.Controller != Envoy || !Within(version, known) || c.live(f) == any(rendering.Absent{}) ||
		len(c.said(bootstrap+"componentLogLevels"))+len(c.said(bootstrap+"logFormat"))+len(c.said("kube.envoyContainer.extraArgs")) > 0 {
		return nil
	}
	w := Want{Field: f, Said: append(c.said(bootstrap+"logLevel"), Said{Value: "info"})}
	w.Value = []any{"--disable-hot-restart", "--service-node", "$(POD_NAME).$(POD_NAMESPACE)", "--log-level", w.Said[0].Value}
	return []Want{w}
}

// uncertain says whether too little is known of a field in this version.
func (c chain) uncertain(version, field string) bool {
	return slices.ContainsFunc(unsure, func(u struct{ versions, field string }) bool {
		return c.expand(u.field) == field && Within(version, u.versions)
	})
}
