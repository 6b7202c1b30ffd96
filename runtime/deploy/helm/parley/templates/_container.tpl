{{/* What a role and its migration have in common: takes a dict with root and role. */}}
{{- define "parley.container" -}}
image: {{ include "parley.image" .root }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
env:
  - { name: PARLEY_CONFIG, value: /etc/parley/config/parley.yaml }
  - { name: PARLEY_NODE_NAME, value: {{ include "parley.nodeName" . }} }
  - name: POD_IP
    valueFrom: { fieldRef: { fieldPath: status.podIP } }
  - { name: PARLEY_LINKS__ADVERTISE, value: '$(POD_IP):{{ .root.Values.links.port }}' }
volumeMounts:
  - { name: config, mountPath: /etc/parley/config, readOnly: true }
  - { name: certificates, mountPath: /etc/parley/certificates, readOnly: true }
  {{- if .root.Values.secretName }}
  - { name: secrets, mountPath: /etc/parley/secrets, readOnly: true }
  {{- end }}
  - { name: tmp, mountPath: /tmp }
{{- end -}}
