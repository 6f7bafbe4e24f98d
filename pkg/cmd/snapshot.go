package cmd

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

const snapshotLong = `Save what a check would read, as plain Kubernetes objects in YAML: to be diagnosed later or elsewhere with --snapshot,
or sent along with a bug report. Secret-like values are masked, unless --show-secrets is given.`

const snapshotExample = `
  # save, and diagnose without the cluster
  {} snapshot -o cluster.yaml
  {} --snapshot cluster.yaml

  # one release, packed
  {} snapshot kgateway -n kgateway-system -o kgateway.yaml.gz`

func (a *app) snapshot() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:               "snapshot [RELEASE...] -o FILE",
		Short:             "Save what a check would read",
		Long:              snapshotLong,
		Example:           a.example(snapshotExample),
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: a.completeReleases,
	}
	// The same name as the report's format: on this command the flag means the file.
	c.Flags().StringVarP(&file, "output", "o", "", "file to write (- is stdout; a name that ends in .gz is packed)")
	c.RunE = func(c *cobra.Command, args []string) error {
		if file == "" {
			return usagef(c, "-o FILE is missing")
		}
		if err := validNames(args...); err != nil {
			return usage(c, err)
		}
		scope, err := a.toScope(c)
		if err != nil {
			return err
		}
		snap, err := a.engine.Snapshot(c.Context(), &scope, args)
		if err != nil {
			return err
		}
		if !scope.ShowSecrets {
			snap = snap.Redact()
		}
		return a.save(snap, file)
	}
	return c
}

func (a *app) save(snap *snapshot.Snapshot, name string) error {
	write := func() error { return writeFile(name, snap.Write) }
	if name == "-" {
		write = func() error { return snap.Write(a.streams.Out) }
	}
	if err := write(); err != nil {
		return fmt.Errorf("write the snapshot: %w", err)
	}
	for _, gap := range snap.Header.Gaps {
		a.notice("not in the snapshot: %s: %s", gap.What, gap.Why)
		for line := range strings.Lines(gap.Remedy) {
			a.notice("  %s", strings.TrimRight(line, "\n"))
		}
	}
	if name != "-" {
		a.notice("%d objects written to %s", len(snap.Objects), name)
	}
	return nil
}

// writeFile writes the whole file or leaves what was there. Others must not read it: it may hold values that the
// masking did not know for secrets.
func writeFile(name string, write func(io.Writer) error) (err error) {
	file, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(file.Name()))
		}
	}()
	if strings.HasSuffix(name, ".gz") {
		zip := gzip.NewWriter(file)
		err = errors.Join(write(zip), zip.Close())
	} else {
		err = write(file)
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), name)
}
