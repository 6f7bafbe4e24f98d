package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// The test binary is the plugin, under both names that kubectl and krew know it by.
func TestMain(m *testing.M) {
	plugin := func() { os.Exit(run()) }
	testscript.Main(m, map[string]func(){
		"kubectl-kgw_doctor": plugin,
		"kubectl-kgw-doctor": plugin,
		"kgw-doctor":         plugin,
	})
}
