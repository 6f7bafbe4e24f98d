// Command write puts the chart of package bigchart into a folder, to measure whole processes:
//
//	go run ./pkg/internal/bigchart/write -size 2 FOLDER
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/internal/bigchart"
)

func main() {
	size := flag.Int("size", 1, "how many times the size of kube-prometheus-stack")
	flag.Parse()
	if flag.NArg() != 1 || *size < 1 {
		fmt.Fprintln(os.Stderr, "usage: write [-size N] FOLDER")
		os.Exit(2)
	}
	for _, f := range bigchart.Files(*size) {
		if err := write(filepath.Join(flag.Arg(0), filepath.FromSlash(f.Name)), f.Text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

func write(path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(text), 0o600)
}
