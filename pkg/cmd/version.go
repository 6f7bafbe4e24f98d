package cmd

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set by the linker: -X github.com/kgateway-dev/kubectl-kgw-doctor/pkg/cmd.version=v1.2.3.
var version string

type versionInfo struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"`
	Date     string `json:"date,omitempty"` // of the commit
	Modified bool   `json:"modified,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
	Helm     string `json:"helm,omitempty"` // the version of Helm's engine that renders
}

func (a *app) version() *cobra.Command {
	return &cobra.Command{
		Use:               "version",
		Short:             "Show the version of the doctor and of Helm's engine in it",
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(c *cobra.Command, args []string) error {
			o, err := a.toOutput(c)
			if err != nil {
				return err
			}
			build, _ := debug.ReadBuildInfo()
			return writeData(a.streams.Out, o.format, buildVersion(version, build), writeVersion)
		},
	}
}

// buildVersion prefers what the linker was told to what the go command found; a build of a checkout has neither.
func buildVersion(linked string, build *debug.BuildInfo) versionInfo {
	v := versionInfo{Version: linked, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if build != nil {
		if v.Version == "" {
			v.Version = build.Main.Version
		}
		for _, d := range build.Deps {
			if d.Path == "helm.sh/helm/v3" {
				v.Helm = d.Version
			}
		}
		for _, s := range build.Settings {
			switch s.Key {
			case "vcs.revision":
				v.Commit = s.Value
			case "vcs.time":
				v.Date = s.Value
			case "vcs.modified":
				v.Modified = s.Value == "true"
			}
		}
	}
	if v.Version == "" || v.Version == "(devel)" {
		v.Version = "devel"
	}
	return v
}

func writeVersion(w io.Writer, v versionInfo) error {
	text := "kgw-doctor " + v.Version
	if v.Commit != "" {
		text += " (commit " + v.Commit
		if v.Modified {
			text += ", modified"
		}
		text += ")"
	}
	text += ", " + v.Go + ", " + v.Platform
	if v.Helm != "" {
		text += ", Helm " + v.Helm
	}
	_, err := fmt.Fprintln(w, text)
	return err
}
