{{- define "dynamic.who" -}}{{ .Values.name | upper }}{{- end -}}
