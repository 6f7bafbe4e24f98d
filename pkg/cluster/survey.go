package cluster

import (
	"context"
	"slices"
	"strings"
	"unicode"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/version"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

var (
	secretResource     = schema.GroupVersionResource{Version: "v1", Resource: "secrets"}
	configMapResource  = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}
	deploymentResource = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
	crdResource        = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
)

// crdNames are the definitions by which the release of a CRD chart is known, whatever its name.
var crdNames = []string{"gatewayparameters.gateway.kgateway.dev", "agentgatewayparameters.agentgateway.dev"}

// releaseKey names a release.
type releaseKey struct{ namespace, name string }

// survey is the first round trip: metadata, version and kinds, all at the same time.
func (v *visit) survey(ctx context.Context) error {
	var info version.Info
	var versionErr error
	owners := make([]releaseKey, len(crdNames))
	together(
		func() { versionErr = v.getJSON(ctx, "/version", "application/json", &info) },
		func() { v.kinds = v.discover(ctx) },
		func() {
			v.secrets = v.listMetadata(ctx, secretResource, v.recordSelector(), "Helm release records (Secrets)")
		},
		func() {
			// Helm puts this label on all it installs, since 3.2.
			v.deployments = v.listMetadata(ctx, deploymentResource, "app.kubernetes.io/managed-by=Helm", "Deployments installed by Helm")
		},
		func() { owners[0] = v.crdOwner(ctx, crdNames[0]) },
		func() { owners[1] = v.crdOwner(ctx, crdNames[1]) },
	)
	if err := v.firstContact(v.secrets.err, v.deployments.err, versionErr); err != nil {
		return err
	}
	if versionErr != nil {
		v.gap(snapshot.Gap{What: "version of the API server", Why: versionErr.Error(), Remedy: "--kube-version"})
	}
	if v.kinds.err != nil {
		v.gap(snapshot.Gap{What: "API versions of the cluster", Why: v.kinds.err.Error(), Remedy: "--api-versions"})
	}
	v.snap.Header.ServerVersion = info.GitVersion
	v.snap.Header.APIVersions = v.kinds.versions
	v.crdOwners = slices.DeleteFunc(owners, func(k releaseKey) bool { return k.name == "" })
	return nil
}

// recordSelector asks for no record that is surely not needed: on an old release most are superseded.
func (v *visit) recordSelector() string {
	s := "owner=helm"
	if len(v.target.Releases) > 0 {
		s += ",name in (" + strings.Join(v.target.Releases, ",") + ")"
	} else if v.target.Revision == 0 {
		s += ",status!=superseded"
	}
	return s
}

// crdOwner gives the release that installed a definition; none if it is not there, or may not be read: that is no
// gap, since the release is found by its name as well.
func (v *visit) crdOwner(ctx context.Context, name string) releaseKey {
	if len(v.target.Releases) > 0 {
		return releaseKey{}
	}
	o, err := v.metadata.Resource(crdResource).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return releaseKey{}
	}
	return annotated(o)
}

func annotated(o *metav1.PartialObjectMetadata) releaseKey {
	return releaseKey{o.Annotations["meta.helm.sh/release-namespace"], o.Annotations["meta.helm.sh/release-name"]}
}

// owner gives the release that a Deployment belongs to: by Helm's annotations or, where something else than Helm
// applied what Helm rendered, by the chart's labels.
func owner(o *metav1.PartialObjectMetadata) releaseKey {
	k := annotated(o)
	if k.name == "" {
		k = releaseKey{o.Namespace, o.Labels["app.kubernetes.io/instance"]}
	}
	return k
}

// isControlPlane says whether the Deployment comes from one of Charts. Proxies of 2.0 and 2.1 also say that Helm
// manages them, with the chart kgateway-proxy; but they belong to a Gateway.
func isControlPlane(o *metav1.PartialObjectMetadata) bool {
	if len(o.OwnerReferences) > 0 || o.Labels["gateway.networking.k8s.io/gateway-name"] != "" {
		return false
	}
	return slices.Contains(Charts, chartName(o.Labels["helm.sh/chart"])) || slices.Contains(Charts, o.Labels["app.kubernetes.io/name"]) ||
		o.Labels["kgateway"] == "kgateway" || o.Labels["agentgateway"] == "agentgateway" || o.Labels["gloo"] == "gloo"
}

// chartName takes the version off a label helm.sh/chart: kgateway-crds-v2.0.0 is kgateway-crds.
func chartName(label string) string {
	for i := range len(label) - 1 {
		rest := strings.TrimPrefix(label[i+1:], "v")
		if label[i] == '-' && rest != "" && unicode.IsDigit(rune(rest[0])) {
			return label[:i]
		}
	}
	return label
}

// soundsLike says whether a release's name holds the name of one of Charts.
func soundsLike(name string) bool {
	return slices.ContainsFunc(Charts, func(c string) bool { return strings.Contains(name, c) })
}
