package snapshot

import (
	"fmt"
	"io"
	"slices"

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"
)

// Write writes the snapshot as a YAML stream, the header first, then the objects sorted by kind, namespace and
// name: the same snapshot gives the same bytes. It masks nothing: see Redact.
func (s *Snapshot) Write(w io.Writer) error {
	header, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&s.Header)
	if err != nil {
		return fmt.Errorf("write the snapshot's header: %w", err)
	}
	header["apiVersion"], header["kind"] = APIVersion, Kind
	if err := writeDocument(w, header); err != nil {
		return err
	}
	objects := slices.Clone(s.Objects)
	slices.SortStableFunc(objects, byName)
	for _, o := range objects {
		if err := writeDocument(w, o.Object); err != nil {
			return err
		}
	}
	return nil
}

func writeDocument(w io.Writer, tree map[string]any) error {
	text, err := yaml.Marshal(tree)
	if err != nil {
		return fmt.Errorf("write the snapshot: %w", err)
	}
	if _, err := fmt.Fprintf(w, "---\n%s", text); err != nil {
		return fmt.Errorf("write the snapshot: %w", err)
	}
	return nil
}
