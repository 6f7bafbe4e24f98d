package packaging

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/kgateway-dev/kubectl-kgw-doctor/pkg/cmd"
)

// The ClusterRole to paste is the one that the program prints.
func TestReadmeShowsTheRights(t *testing.T) {
	t.Parallel()
	var out, errOut bytes.Buffer
	streams := genericiooptions.IOStreams{In: strings.NewReader(""), Out: &out, ErrOut: &errOut}
	if status := cmd.Main(t.Context(), []string{"kubectl-kgw_doctor", "rights"}, streams); status != cmd.Clean {
		t.Fatalf("rights: status %d\n%s", status, errOut.String())
	}
	if diff := cmp.Diff(out.String(), block(t, "rights", "yaml")); diff != "" {
		t.Errorf("-what the program prints +README.md:\n%s", diff)
	}
}

// block is the fenced text between <!-- name: begin --> and <!-- name: end --> in the README.
func block(t *testing.T, name, language string) string {
	t.Helper()
	readme := string(read(t, filepath.Join(top, "README.md")))
	_, rest, begun := strings.Cut(readme, "<!-- "+name+": begin -->\n```"+language+"\n")
	text, _, ended := strings.Cut(rest, "```\n<!-- "+name+": end -->")
	if !begun || !ended {
		t.Fatalf("README.md has no block %q", name)
	}
	return text
}
