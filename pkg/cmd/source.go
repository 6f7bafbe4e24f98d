package cmd

import (
	"context"
	"fmt"
	"time"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/cluster"
	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/snapshot"
)

// Snapshot gives what the file holds, or reads the cluster: this is the first time that a kubeconfig is looked at.
// With a file the releases are for the caller to choose; a cluster is asked for no others.
func (s *Scope) Snapshot(ctx context.Context, releases ...string) (*snapshot.Snapshot, error) {
	if s.File != nil {
		return s.File, nil
	}
	reader, current, err := s.reader()
	if err != nil {
		return nil, err
	}
	return reader.Snapshot(ctx, s.target(current, releases))
}

func (s *Scope) target(current string, releases []string) cluster.Target {
	target := cluster.Target{Namespace: s.Namespace, Releases: releases, Revision: s.Revision, RecordsOnly: s.RecordsOnly}
	if s.Namespace == "" && !s.AllNamespaces {
		target.Fallback = current
	}
	return target
}

// reader connects to the cluster of the kubeconfig, whose current namespace it gives too.
func (s *Scope) reader() (reader *cluster.Reader, namespace string, err error) {
	loader := s.Cluster.ToRawKubeConfigLoader()
	raw, err := loader.RawConfig()
	if err != nil {
		return nil, "", fmt.Errorf("read the kubeconfig: %w", err)
	}
	config, err := s.Cluster.ToRESTConfig()
	if err != nil {
		return nil, "", fmt.Errorf("read the kubeconfig: %w", err)
	}
	if namespace, _, err = loader.Namespace(); err != nil {
		return nil, "", fmt.Errorf("read the current namespace from the kubeconfig: %w", err)
	}
	if reader, err = cluster.New(config); err != nil {
		return nil, "", err
	}
	reader.Now = func() time.Time { return s.Now }
	reader.Context = raw.CurrentContext
	if s.Context != "" {
		reader.Context = s.Context
	}
	return reader, namespace, nil
}
