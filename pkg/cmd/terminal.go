package cmd

import (
	"io"
	"os"
	"strconv"

	"golang.org/x/term"
)

// terminal is what stdout can do.
type terminal struct {
	width int // 0: it is no terminal
	color bool
}

// terminalOf asks the stream and the environment: NO_COLOR (https://no-color.org), TERM=dumb, COLUMNS.
func terminalOf(w io.Writer) terminal {
	var t terminal
	if columns, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && columns > 0 {
		t.width = columns
	}
	file, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return t
	}
	if width, _, err := term.GetSize(int(file.Fd())); err == nil && width > 0 {
		t.width = width
	}
	t.color = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	return t
}
