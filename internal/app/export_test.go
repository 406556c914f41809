package app_test

import (
	"archive/zip"
	"bytes"
	"testing"

	"cursus/internal/domain/export"
	"cursus/internal/transport/api/apitest"
)

func init() {
	walks = append(walks, func(w *world, _ string) map[string]string {
		ready, err := w.h.Export.Ask(system, "axe export", export.CSV)
		if err != nil {
			w.t.Fatal(err)
		}
		w.quiet()
		at := "/console/data-exports/" + ready.ID
		return map[string]string{"/console/data-exports/:id": at, "/console/data-exports/:id/state": at + "/state", "/console/data-exports/:id/file": at + "/file"}
	})
}

// exportStory has a file for other tools made and fetches it, once per key, and leaves it to the walker.
func (w *world) exportStory(t *testing.T, walker *apitest.Walker, staff string) {
	t.Helper()
	s := &asker{t: t, w: walker, token: staff}
	s.ask(400, "createDataExport", nil, map[string]any{"format": "xlsx"}, key("export-0"))
	asked := s.ask(202, "createDataExport", nil, map[string]any{"format": "parquet"}, key("export-1"))
	if again := s.ask(202, "createDataExport", nil, map[string]any{"format": "parquet"}, key("export-1")); again["id"] != asked["id"] {
		t.Error(asked, again)
	}
	at := map[string]string{"data_export": asked["id"].(string)}
	w.quiet()
	made := s.ask(200, "getDataExport", at, nil)
	if made["state"] != "ready" || made["done"] != made["total"] || made["rows"].(float64) < 10 {
		t.Error(made)
	}
	if all := s.ask(200, "listDataExports", nil, nil)["exports"].([]any); len(all) != 1 {
		t.Error(all)
	}
	r := walker.Example("downloadDataExport")
	r.Token, r.Path = staff, at
	a := walker.Do(t, r)
	if z, err := zip.NewReader(bytes.NewReader(a.Body), int64(len(a.Body))); a.Status != 200 || err != nil || len(z.File) != int(made["total"].(float64))+2 || float64(len(a.Body)) != made["bytes"] {
		t.Error(a.Status, len(a.Body), err)
	}
	s.ask(404, "getDataExport", map[string]string{"data_export": "bex_01kb5t8kz9e0qv4m3r2x7nwhjd"}, nil)
	walker.Values["data_export"] = at["data_export"]
}

// Staff have a file made in the console, see how far it is, and fetch it.
func TestDataExportsInABrowser(t *testing.T) {
	w, mails := newSite(t)
	b := newTab(t)
	w.staffTab(b, mails, "officer@example.org")
	b.open(w.cfg.BaseURL + "/console/data-exports")
	b.press("#make", "#bar")
	w.quiet()
	w.until("the file is ready without a touch", func() bool { return ask[bool](b, `!!document.getElementById("fetch")`) })
	b.seen("data-export")
	if got := ask[string](b, `document.getElementById("fetch").getAttribute("href")`); len(got) < 20 {
		t.Error(got)
	}
}
