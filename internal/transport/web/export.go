package web

import (
	"encoding/json"
	"net/url"

	exports "cursus/internal/domain/export"
	"cursus/internal/kernel/fault"
	paging "cursus/internal/kernel/page"
)

// exportRoutes are the addresses at which staff have data written into files for other tools.
func (w *Web) exportRoutes() []route {
	return []route{
		{method: "GET", path: "/console/data-exports", who: staff, handle: w.dataExports},
		{method: "POST", path: "/console/data-exports", who: staff, handle: w.createDataExport},
		{method: "GET", path: "/console/data-exports/:id", who: staff, handle: w.dataExport},
		{method: "GET", path: "/console/data-exports/:id/state", who: staff, handle: w.dataExportState},
		{method: "GET", path: "/console/data-exports/:id/file", who: staff, handle: w.dataExportFile},
	}
}

// shownExports is how many files the page lists.
const shownExports = 20

// dataExportsPage is the files that there are, and the form for another.
type dataExportsPage struct {
	All   []exports.Bulk
	Wrong *fault.Fault
}

// Formats are those that can be chosen.
func (dataExportsPage) Formats() []string { return []string{exports.CSV, exports.Parquet} }

func (w *Web) dataExports(r *request) (reply, error) { return w.dataExportsWith(r, nil) }

func (w *Web) dataExportsWith(r *request, wrong *fault.Fault) (reply, error) {
	all, err := w.house.DataExports(r.ctx, r.viewer, paging.Request{Limit: shownExports})
	return reply{page: "data_exports", title: "console.dataexports", data: dataExportsPage{all, wrong}, status: refusedAs(wrong)}, err
}

func (w *Web) createDataExport(r *request) (reply, error) {
	b, err := w.house.CreateDataExport(r.ctx, r.viewer, r.form("key"), r.form("format"))
	if f := refusal(err); f != nil && f.Kind != fault.Forbidden {
		return w.dataExportsWith(r, f)
	}
	return reply{redirect: "/console/data-exports/" + url.PathEscape(b.ID)}, err
}

func (w *Web) dataExport(r *request) (reply, error) {
	b, err := w.house.DataExport(r.ctx, r.viewer, r.param("id"))
	return reply{page: "data_export", title: "dataexport.one", data: &b}, err
}

// dataExportState is what the script of the page of a file asks every second.
func (w *Web) dataExportState(r *request) (reply, error) {
	b, err := w.house.DataExport(r.ctx, r.viewer, r.param("id"))
	if err != nil {
		return reply{}, err
	}
	state := b.State
	if state != "pending" {
		state = "done"
	}
	out, err := json.Marshal(map[string]any{"state": state, "percent": b.Percent(), "done": b.Done, "rows": b.Rows, "bytes": b.Bytes})
	return reply{file: &File{"state.json", "application/json", out}, inline: true}, err
}

func (w *Web) dataExportFile(r *request) (reply, error) {
	b, file, err := w.house.DataExportFile(r.ctx, r.viewer, r.param("id"))
	return reply{file: &File{Name: b.ID + "-" + b.Format + ".zip", ContentType: "application/zip"}, stream: file, size: int(b.Bytes)}, err
}
