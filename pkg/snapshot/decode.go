package snapshot

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	helmchart "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/release"
)

// The largest record that is decoded. etcd holds no object above some 1.5 MiB; Helm's own decoder has no bound, so
// that a record of 1 MiB can claim a GiB of memory.
const (
	MaxCompressed   = 4 << 20
	MaxDecompressed = 64 << 20
)

var gzipMagic = []byte{0x1f, 0x8b}

// DecodeRecord reads what Helm stores under the key release: base64 of gzip of JSON. A Secret read as JSON or YAML
// has it in base64 once more; both are taken, and so is a record of the days before Helm compressed them.
//
// A record is input from strangers: every size is bounded, every damage is an error, and lists hold no nil.
// Numbers are float64, as in Helm itself.
func DecodeRecord(data []byte) (*release.Release, error) {
	r, _, err := decodeRecord(data)
	return r, err
}

// decodeRecord also says whether the release was applied server-side, which only Helm 4 does and records.
// Source: helm.sh/helm/v4@v4.3.0 pkg/release/v1/release.go.
func decodeRecord(data []byte) (*release.Release, bool, error) {
	text, err := unpack(data)
	if err != nil {
		return nil, false, err
	}
	var r struct {
		release.Release
		ApplyMethod string `json:"apply_method"`
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, false, fmt.Errorf("the record is not the JSON of a Helm release: %w", err)
	}
	if err := complete(&r.Release); err != nil {
		return nil, false, err
	}
	return &r.Release, r.ApplyMethod == "ssa", nil
}

// complete refuses what is no release, and takes out what would make a reader stumble.
func complete(r *release.Release) error {
	switch {
	case r.Name == "":
		return errors.New("the record is not a Helm release: it has no name")
	case r.Chart == nil || r.Chart.Metadata == nil || r.Chart.Metadata.Name == "":
		return fmt.Errorf("the record of release %q holds no chart", r.Name)
	}
	switch v := r.Chart.Metadata.APIVersion; v {
	case "", helmchart.APIVersionV1, helmchart.APIVersionV2: // Helm 4 writes these too
	default:
		return fmt.Errorf("the chart %q has apiVersion %q: this doctor knows v1 and v2", r.Chart.Metadata.Name, v)
	}
	if r.Info == nil {
		r.Info = &release.Info{}
	}
	null := func(f *helmchart.File) bool { return f == nil }
	r.Chart.Templates = slices.DeleteFunc(r.Chart.Templates, null)
	r.Chart.Files = slices.DeleteFunc(r.Chart.Files, null)
	r.Hooks = slices.DeleteFunc(r.Hooks, func(h *release.Hook) bool { return h == nil })
	m := r.Chart.Metadata
	m.Dependencies = slices.DeleteFunc(m.Dependencies, func(d *helmchart.Dependency) bool { return d == nil })
	m.Maintainers = slices.DeleteFunc(m.Maintainers, func(d *helmchart.Maintainer) bool { return d == nil })
	return nil
}

// unpack takes off the base64, once or twice, and the gzip.
func unpack(data []byte) ([]byte, error) {
	data = bytes.TrimSpace(data)
	if len(data) == 0 {
		return nil, errors.New("the record is empty")
	}
	// 16/9: two layers of base64.
	if len(data) > MaxCompressed/9*16 {
		return nil, fmt.Errorf("the record is larger than %d MiB", MaxCompressed>>20)
	}
	for layer := 0; layer < 2 && !isPacked(data); layer++ {
		plain := make([]byte, base64.StdEncoding.DecodedLen(len(data)))
		n, err := base64.StdEncoding.Decode(plain, data)
		if err != nil && layer == 0 {
			return nil, fmt.Errorf("the record is not base64, or was cut short: %w", err)
		}
		if err != nil {
			return nil, errors.New("the record is neither gzip nor JSON behind its base64")
		}
		data = plain[:n]
	}
	switch {
	case bytes.HasPrefix(data, gzipMagic):
		return gunzip(data)
	case isPacked(data):
		return data, nil
	}
	return nil, errors.New("the record is neither gzip nor JSON behind its base64")
}

// isPacked says whether no base64 is left: it is gzip, or the bare JSON of old. Neither can begin base64.
func isPacked(data []byte) bool {
	return bytes.HasPrefix(data, gzipMagic) || bytes.HasPrefix(data, []byte("{"))
}

func gunzip(data []byte) ([]byte, error) {
	if len(data) > MaxCompressed {
		return nil, fmt.Errorf("the record is larger than %d MiB", MaxCompressed>>20)
	}
	zip, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, cut("read the gzip header of the record", err)
	}
	text, err := io.ReadAll(io.LimitReader(zip, MaxDecompressed+1))
	if err != nil {
		return nil, cut("unpack the record", err)
	}
	if len(text) > MaxDecompressed {
		return nil, fmt.Errorf("the record unpacks to more than %d MiB", MaxDecompressed>>20)
	}
	return text, nil
}

func cut(doing string, err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: it was cut short: %w", doing, err)
	}
	return fmt.Errorf("%s: it is damaged: %w", doing, err)
}

// pack is what Helm does to write a record.
func pack(text []byte) string {
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	zip.Write(text) //nolint:errcheck // a Buffer takes everything
	zip.Close()     //nolint:errcheck // a buffer takes everything
	return base64.StdEncoding.EncodeToString(b.Bytes())
}
