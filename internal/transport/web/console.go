package web

// The console is where staff work: the catalogue, the programs, the offers. Each area has its routes, its part of House, its
// templates and its words in files of its own; here is what they share.

// areaRoutes are the addresses of the areas.
func (w *Web) areaRoutes() (all []route) {
	all = append(all, route{method: "GET", path: "/console", who: staff, handle: w.console})
	all = append(all, w.authoringRoutes()...)
	all = append(all, w.sessionRoutes()...)
	all = append(all, w.programRoutes()...)
	all = append(all, w.exchangeRoutes()...)
	all = append(all, w.mailRoutes()...)
	all = append(all, w.offerRoutes()...)
	all = append(all, w.priceRoutes()...)
	all = append(all, w.salesRoutes()...)
	all = append(all, w.deskRoutes()...)
	all = append(all, w.accessRoutes()...)
	all = append(all, w.hookRoutes()...)
	all = append(append(all, w.lmsRoutes()...), w.collectingRoutes()...)
	all = append(append(all, w.examRoutes()...), append(w.proctorRoutes(), w.candidateRoutes()...)...)
	all = append(append(all, w.labRoutes()...), w.labProviderRoutes()...)
	all = append(all, w.proctoringProviderRoutes()...)
	all = append(all, w.confidenceRoutes()...)
	all = append(all, w.outreachRoutes()...)
	all = append(all, w.partnerRoutes()...)
	all = append(all, w.traceRoutes()...)
	all = append(all, w.privacyRoutes()...)
	all = append(all, w.providerRoutes()...)
	all = append(append(all, w.cohortRoutes()...), w.progressRoutes()...)
	all = append(all, w.rosterRoutes()...)
	all = append(all, w.figureRoutes()...)
	all = append(append(append(all, w.surveyRoutes()...), w.importRoutes()...), w.dashboardRoutes()...)
	all = append(all, w.certificateRoutes()...)
	all = append(all, w.exportRoutes()...)
	return append(all, w.accountRoutes()...)
}

// console is the front page of the console: the ways into its areas.
func (w *Web) console(*request) (reply, error) {
	return reply{page: "console", title: "console.title"}, nil
}

// place is an entry of the console's menu: the path and the key of its words.
type place struct{ Path, Words string }

// area is a part of the console's menu.
type area struct {
	Words  string
	Places []place
}

// areas is the console's menu, in the order to show.
var areas = []area{
	{"console.area.catalogue", []place{
		{"/console/courses", "console.courses"}, {"/console/collections", "console.collections"}, {"/console/charter", "console.charter"}, {"/console/calendar", "console.calendar"},
		{"/console/sessions", "console.sessions"}, {"/console/programs", "console.programs"}, {"/console/editions", "console.editions"}, {"/console/exams", "console.exams"}, {"/console/proctors", "console.proctors"}, {"/console/lab-providers", "console.labproviders"}, {"/console/exam-calls", "console.calls"}, {"/console/surveys", "console.surveys"}, {"/console/imports", "console.imports"}, {"/console/exchange", "console.exchange"},
	}},
	{"console.area.sales", []place{
		{"/console/offers", "console.offers"}, {"/console/formulas", "console.formulas"}, {"/console/vouchers", "console.vouchers"}, {"/console/seats", "console.seats"},
		{"/console/orders", "console.orders"}, {"/console/refunds", "console.refunds"},
	}},
	{"console.area.certification", []place{{"/console/certificates", "console.certificates"}, {"/console/certificate-layouts", "console.layouts"}}},
	{"console.area.accounts", []place{
		{"/console/documents", "console.documents"}, {"/console/accounts", "console.accounts"}, {"/console/money", "console.money"}, {"/console/desk", "console.desk"},
		{"/console/reconciliation", "console.reconciliation"}, {"/console/issuers", "console.issuers"}, {"/console/data-exports", "console.dataexports"},
	}},
	{"console.area.people", []place{
		{"/console/behalf", "console.behalf"}, {"/console/partners", "console.partners"}, {"/partners", "console.roles"}, {"/cohorts", "console.cohorts"}, {"/console/providers", "console.providers"},
		{"/console/clients", "console.clients"}, {"/console/webhooks", "console.webhooks"}, {"/console/platforms", "console.platforms"}, {"/console/campaigns", "console.campaigns"}, {"/console/mails", "console.mails"},
	}},
	{"console.area.trace", []place{{"/console/audit", "console.audit"}, {"/console/stage-checks", "console.checks"}, {"/console/privacy", "console.privacy"}}},
}

// Areas is the menu for the templates: who is of a school's desk has her desk alone.
func (v View) Areas() []area {
	if v.Viewer.Desk {
		return []area{{"console.area.accounts", []place{{"/console/desk", "console.desk"}}}}
	}
	return areas
}

// Places are all entries of the menu.
func (v View) Places() (all []place) {
	for _, a := range v.Areas() {
		all = append(all, a.Places...)
	}
	return all
}
