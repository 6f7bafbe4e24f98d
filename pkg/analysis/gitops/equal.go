package gitops

import "github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"

// same compares values as a template sees them.
func same(a, b any) bool { return rendering.Equal(a, b) }
