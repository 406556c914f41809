package web

import "cursus/internal/kernel/fault"

// proctoringProviderRoutes are the addresses at which staff look after providers of proctoring.
func (w *Web) proctoringProviderRoutes() []route {
	return []route{
		{method: "GET", path: "/console/proctors", who: staff, handle: w.proctors},
		{method: "POST", path: "/console/proctors", who: staff, handle: w.testProctor},
	}
}

func (w *Web) proctors(r *request) (reply, error) { return w.proctorsWith(r, ProctorTested{}) }

func (w *Web) proctorsWith(r *request, tested ProctorTested) (reply, error) {
	d, err := w.house.Proctors(r.ctx, r.viewer)
	d.Tested = tested
	return reply{page: "proctors", title: "proctors.title", data: d}, err
}

func (w *Web) testProctor(r *request) (reply, error) {
	if r.form("do") != "test" {
		return reply{}, fault.InvalidInput(fault.Field{Pointer: "/do", Code: "unknown", Detail: "There is no such act here."})
	}
	tested, err := w.house.TestProctor(r.ctx, r.viewer, r.form("provider"))
	if err != nil {
		return reply{}, err
	}
	return w.proctorsWith(r, tested)
}
