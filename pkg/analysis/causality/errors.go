package causality

import (
	"errors"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/analysis/rendering"
)

func asError(err error, target **rendering.Error) bool { return errors.As(err, target) }
