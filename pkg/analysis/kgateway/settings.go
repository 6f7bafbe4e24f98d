package kgateway

// form is how what several sources say of one setting becomes one value.
type form int

const (
	scalar form = iota // the last who speaks
	table              // key by key at any depth; lists in it are joined
	joined             // a list: the GatewayClass's items, then the Gateway's
	named              // a list of items with names: the last who speaks of a name
)

// setting says where parameters hold a part of a proxy.
type setting struct {
	path  string // below the spec of the parameters
	kind  string // of the object that it becomes a part of
	field string // $ stands for the container
	form  form
	whole bool // only the sources write there, so that they know all that may stand there
	zero  bool // 0 and "" say nothing
}

const (
	pod       = "spec.template.spec."
	container = "spec.template.spec.containers[$]."
)

// settingsOf are the settings of each controller's parameters.
// Source: the deployers of kgateway 2.0 to 2.4 and of agentgateway 1.0 to 1.4.
var settingsOf = map[string][]setting{
	Envoy:              append(containerSettings("kube.envoyContainer."), podSettings...),
	FormerAgentgateway: append(containerSettings("kube.agentgateway."), podSettings...),
	// Its parameters hold the container's settings; all else is said in overlays.
	Agentgateway: containerSettings(""),
}

// podSettings are what GatewayParameters say of the proxy but for its container.
var podSettings = []setting{
	{path: "kube.deployment.replicas", kind: "Deployment", field: "spec.replicas"},
	{path: "kube.deployment.strategy", kind: "Deployment", field: "spec.strategy", form: table},
	{path: "kube.podTemplate.extraLabels", kind: "Deployment", field: "spec.template.metadata.labels", form: table},
	{path: "kube.podTemplate.extraAnnotations", kind: "Deployment", field: "spec.template.metadata.annotations", form: table},
	{path: "kube.podTemplate.securityContext", kind: "Deployment", field: pod + "securityContext", form: table},
	{path: "kube.podTemplate.imagePullSecrets", kind: "Deployment", field: pod + "imagePullSecrets", form: named, whole: true},
	{path: "kube.podTemplate.nodeSelector", kind: "Deployment", field: pod + "nodeSelector", form: table, whole: true},
	{path: "kube.podTemplate.affinity", kind: "Deployment", field: pod + "affinity", form: table, whole: true},
	{path: "kube.podTemplate.tolerations", kind: "Deployment", field: pod + "tolerations", form: joined, whole: true},
	{path: "kube.podTemplate.topologySpreadConstraints", kind: "Deployment", field: pod + "topologySpreadConstraints", form: joined, whole: true},
	{path: "kube.podTemplate.priorityClassName", kind: "Deployment", field: pod + "priorityClassName", whole: true, zero: true},
	{path: "kube.podTemplate.terminationGracePeriodSeconds", kind: "Deployment", field: pod + "terminationGracePeriodSeconds", zero: true},
	{path: "kube.podTemplate.readinessProbe", kind: "Deployment", field: container + "readinessProbe", form: table, zero: true},
	{path: "kube.podTemplate.livenessProbe", kind: "Deployment", field: container + "livenessProbe", form: table, zero: true},
	{path: "kube.podTemplate.startupProbe", kind: "Deployment", field: container + "startupProbe", form: table, zero: true},
	{path: "kube.service.type", kind: "Service", field: "spec.type"},
	{path: "kube.service.clusterIP", kind: "Service", field: "spec.clusterIP", zero: true},
	{path: "kube.service.loadBalancerClass", kind: "Service", field: "spec.loadBalancerClass", zero: true},
	{path: "kube.service.extraLabels", kind: "Service", field: "metadata.labels", form: table},
	{path: "kube.service.extraAnnotations", kind: "Service", field: "metadata.annotations", form: table},
}

// containerSettings are those of the proxy's container. The image is one text of several parts: see image.
func containerSettings(path string) []setting {
	return []setting{
		{path: path + "resources", kind: "Deployment", field: container + "resources", form: table, whole: true},
		{path: path + "securityContext", kind: "Deployment", field: container + "securityContext", form: table},
		{path: path + "env", kind: "Deployment", field: container + "env", form: named},
	}
}

// overlaysOf are the paths of the overlays, by the kind that they are patches of.
var overlaysOf = map[string]map[string]string{
	Envoy:        {"Deployment": "kube.deploymentOverlay", "Service": "kube.serviceOverlay"},
	Agentgateway: {"Deployment": "deployment", "Service": "service"},
}

// imageOf is where the parameters hold the image, and the prefix of the variables that are its defaults.
var imageOf = map[string]struct{ path, env string }{
	Envoy:              {"kube.envoyContainer.image", "KGW_DEFAULT_IMAGE_"},
	FormerAgentgateway: {"kube.agentgateway.image", "KGW_DEFAULT_IMAGE_"}, // the pull policy alone
	Agentgateway:       {"image", "AGW_PROXY_IMAGE_"},
}

// containerOf is the name of the proxy's container.
var containerOf = map[string]string{Envoy: "kgateway-proxy", FormerAgentgateway: "kgateway-proxy", Agentgateway: "agentgateway"}
