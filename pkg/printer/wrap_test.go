package printer

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWrapKeepsPathsWhole(t *testing.T) {
	t.Parallel()
	got := wrap("the field spec.template.spec.containers[kgateway].imagePullPolicy is lost", 30)
	want := []string{"the field", "spec.template.spec.containers[kgateway].imagePullPolicy", "is lost"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWrapCommandBreaksAtFlagsOnly(t *testing.T) {
	t.Parallel()
	got := wrapCommand(`helm upgrade a oci://r/c --namespace ns --set 'x=a --b c' --set-string y=1`, 30)
	want := []string{
		`helm upgrade a oci://r/c \`,
		`  --namespace ns \`,
		`  --set 'x=a --b c' \`,
		`  --set-string y=1`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A shell must read the wrapped command as it reads the unwrapped one.
func TestWrappedCommandsRunTheSame(t *testing.T) {
	t.Parallel()
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no POSIX shell")
	}
	for _, words := range [][]string{
		{"--set", "a=b", "--set", "c=it's  -n ot"},
		{"--set-json", `x={"a": "--b \"c\"", "d": [1, 2]}`, "--flag"},
		{"--set", `a\.b=c\,d`, "--set-string", "e= -f g "},
		{"--set", "$(touch pwned)", "--set", "`id`", "--set", "a\\"},
	} {
		quoted := []string{`printf '<%s>'`}
		for _, word := range words {
			quoted = append(quoted, quote(word))
		}
		command := strings.Join(quoted, " ")
		for _, width := range []int{1, 20, 40, 200} {
			out, err := exec.Command(shell, "-c", strings.Join(wrapCommand(command, width), "\n")).CombinedOutput()
			if want := "<" + strings.Join(words, "><") + ">"; err != nil || string(out) != want {
				t.Errorf("width %d: got %s (%v), want %s", width, out, err, want)
			}
		}
	}
}
