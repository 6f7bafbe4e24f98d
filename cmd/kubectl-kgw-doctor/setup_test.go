package main

import (
	"os"

	"github.com/rogpeppe/go-internal/testscript"
)

// noCluster keeps the user's kubeconfig, terminal and colours away from the scripts.
func noCluster(env *testscript.Env) error {
	env.Setenv("KUBECONFIG", "")
	env.Setenv("HOME", env.WorkDir)
	env.Setenv("NO_COLOR", "")
	env.Setenv("COLUMNS", "")
	env.Setenv("KUBERNETES_SERVICE_HOST", "")
	return nil
}

func updateGolden() bool { return os.Getenv("UPDATE_GOLDEN") != "" }
