package api_test

import (
	"net/http"
	"regexp"
	"testing"

	"cursus/api/contract"
	"cursus/internal/transport/api/apitest"
)

// keyless are the POSTs that take no Idempotency-Key, and why none is needed: whoever adds one says so here, or lets it take a key.
var keyless = map[string]string{
	// They create nothing and move no money: the thing that they act on is there, and again it is as it was.
	"moveSession": "moves to a named state under If-Match", "moveProgram": "moves to a named state under If-Match",
	"moveEdition": "moves to a named state under If-Match", "moveOffer": "moves to a named state", "withdrawOffer": "ends it, again nothing",
	"cancelExamSlot": "ends it under If-Match", "proctorSitting": "moves along an edge, and again there is none", "proposeResult": "says what stands, again the same", "cancelSitting": "ends it, again nothing", "actOnSitting": "moves along an edge, and again there is none",
	"appealSitting": "one appeal for a sitting", "decideAppeal": "an appeal is decided once",
	"cancelWorkshopDay": "ends it, again nothing", "holdWorkshopDay": "moves it, again nothing", "recordAttendance": "says what is so, again nothing",
	"recordProductions": "says what is so, again nothing", "importGrades": "the same file is known by its hash", "importExamResults": "the same file is known by its hash", "importExercises": "replaces under If-Match",
	"collectGrades": "while one is being made, it is that one", "checkStages": "asked for again, it is checked once more and changes nothing", "rebuildStages": "what is built says what the scores say: again nothing",
	"recordStatements": "each statement is known by its id",
	"recordResult":     "the same result again changes nothing", "revokeCertificate": "ends it, again nothing", "reinstateCertificate": "what holds is refused",
	"addCertificateImage": "the same image is known by its hash", "previewCertificateLayout": "writes nothing", "previewProgram": "writes nothing", "quoteOrder": "writes nothing",
	"replayWebhook": "receivers know an event by its id, however often it is sent", "replayWebhooks": "receivers know an event by its id, however often it is sent",
	"retryLMSEnrolment": "a platform is told what is wanted, however often it is told", "retryLMSPlatform": "a platform is told what is wanted, however often it is told",
	"cancelOrder":          "ends what was not paid, again nothing",
	"cancelCampaign":       "ends it, again nothing",
	"publishQuestionnaire": "freezes a version under If-Match, again nothing", "importSurvey": "the same file is known by its hash", "importForum": "the same file is known by its hash",
	"scheduleCampaign": "a draft is sent once: its state says that it was",
	"recordBounces":    "the same report again does nothing",
	// They create, or move money, and the thing itself says that it was done.
	"payOrder":               "an order has one open payment: again gives its page",
	"leaveCard":              "asks the provider for a page; nothing is kept of it before the provider tells",
	"applyRoster":            "who is on the list has a seat already: again nothing",
	"uploadRoster":           "who is on the list has a seat already: again nothing",
	"claimSeat":              "who has a seat of the pool is given that one",
	"takeUpInvitation":       "an invitation is taken up once: again gives her place",
	"acceptTransfer":         "a place that was taken is hers: again nothing",
	"requestMyExport":        "while one is being made, it is that one",
	"requestExport":          "while one is being made, it is that one",
	"requestErasure":         "while a request is open, it is that one",
	"decideErasure":          "decided once: again is refused",
	"carryOutErasure":        "done once: again is refused",
	"createKey":              "its answer holds a secret that is kept nowhere; two live at a time, and one that nobody knows is ended",
	"grantToken":             "a token ends within the hour",
	"receiveStripeEvent":     "an event is stored once, by its own id",
	"receiveLabEvent":        "an event is stored once, by its own id",
	"giveLabHelp":            "who was helped asks for nothing any more: again nothing",
	"stopLab":                "a machine that is asked to stop is not asked again within five minutes",
	"receiveProctoringReady": "a message is stored once, by its own id", "receiveProctoringReview": "a message is stored once, by its own id",
	"controlProctoring": "a call is known by its words", "grantProctoringToken": "a token ends within the hour", "testProctoringProvider": "it asks, and changes nothing there",
}

func TestPostsThatCreateOrMoveMoneyTakeAKey(t *testing.T) {
	w, err := apitest.New(contract.YAML, nil)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, o := range w.Operations() {
		if o.Method != http.MethodPost {
			continue
		}
		takes := w.Example(o.ID).Header.Get("Idempotency-Key") != ""
		if seen[o.ID] = true; takes == (keyless[o.ID] != "") {
			t.Errorf("%s takes a key: %v; why none: %q", o.ID, takes, keyless[o.ID])
		}
	}
	for id := range keyless {
		if !seen[id] {
			t.Error("no such POST:", id)
		}
	}
}

// short are the lists that come whole, and why they cannot grow long.
var short = map[string]string{
	"getCampaignEnrolments": "29 days at most",
	"listConsents":          "the purposes that there are",
	"listRetention":         "the lines of the schedule",
	"listCertificateKinds":  "rows of the migrations", "listCertificateLayouts": "one for each partner, 500 at most", "getCertificateHistory": "what people did to one certificate",
	"getProctoringKeys":     "two at most: one and the one before",
	"listBadgeKeys":         "one for each time that the key was rotated",
	"listCohortMonths":      "ten years at most",
	"listExamContacts":      "the reminders and calls of one enrolment, 500 at most",
	"listExamSlots":         "those of one session that have not begun, which its page shows whole",
	"listAppeals":           "those that wait for somebody",
	"listProctoredSlots":    "those of two weeks and of what is to come, 200 at most",
	"listAgreements":        "one per school and kind of money",
	"listIssuers":           "those of the house",
	"listManagers":          "the people of one organisation who order for it",
	"listMyOrganisations":   "those that one person manages",
	"listPartnerRoles":      "the people of one organisation",
	"listOrderDocuments":    "the documents of one order, all of them",
	"listOrderTransfers":    "the lines of one order: 20",
	"listPlans":             "one per currency of an offer",
	"listPrices":            "the prices of one offer, which its form shows whole",
	"listWaysToPay":         "those that there are",
	"listWebhookEventTypes": "those that there are",
	"listLabs":              "the labs of one session, which its page shows whole",
	"getMyLabs":             "the labs of one session, which the page of the course shows whole",
	"listLabProviders":      "those of the house",
	"listWorkshopDays":      "the days of one session, which its calendar shows whole",
}

func TestListsComeInPages(t *testing.T) {
	w, err := apitest.New(contract.YAML, nil)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, o := range w.Operations() {
		list, paged := o.List()
		if !list {
			continue
		}
		if seen[o.ID] = true; paged == (short[o.ID] != "") {
			t.Errorf("%s has pages: %v; why none: %q", o.ID, paged, short[o.ID])
		}
	}
	for id := range short {
		if !seen[id] {
			t.Error("no such list:", id)
		}
	}
}

// What moves money back, keys or roles, or rewrites what money or sign-ins rest upon, asks who does it to have signed in just now; keys, roles and
// banks ask for a person. A new operation whose name sounds like one of these has to be due, or calm with a reason.
func TestWhatMovesMoneyKeysAndRolesAsksForAFreshSignIn(t *testing.T) {
	w, err := apitest.New(contract.YAML, nil)
	if err != nil {
		t.Fatal(err)
	}
	scopes := map[string]string{"refunds:write": "person-or-system", "keys:write": "person", "clients:write": "person", "roles:write": "person"}
	due := map[string]string{ // under the scopes of who else they concern
		"putCashier": "person", "putManager": "person", "dropManager": "person", "putIssuer": "person",
		"requestErasure": "person", "decideErasure": "person", "carryOutErasure": "person",
		"askReversal": "person-or-system", "decideReversal": "person-or-system", "sendReceiptBack": "person-or-system", "markPaidBack": "person-or-system",
	}
	calm := map[string]string{
		"withdrawErasure": "it keeps what is there", "withdrawConsent": "as easily as it was given",
		"withdrawOrder": "her own right: what she paid goes back the way it came", "withdrawOffer": "what is sold no more; what was sold stays", "withdrawTransfer": "her own offer of her own place",
		"grantToken": "it asks for the key", "grantProctoringToken": "it asks for the key", "testProctoringProvider": "it asks who it is", "putExamProvider": "it opens nothing: it says who watches", "rotateWebhookSecret": "it signs what we tell: it opens nothing here", "revokeClaimLink": "it gives nobody anything", "revokeCertificate": "no money", "retryLMSPlatform": "it tells again what stands",
	}
	sounds := regexp.MustCompile(`(?i)refund|repa[iy]|back$|reversal|withdraw|revoke|issuer|client|key|token|secret|role|manager|cashier|provider|lmsplatform$|erasure|erase`)
	for _, o := range w.Operations() {
		asks := scopes[o.Scope]
		if due[o.ID] != "" {
			asks = due[o.ID]
		}
		if o.Method == http.MethodGet {
			asks = ""
		} else if asks == "" && calm[o.ID] == "" && sounds.MatchString(o.ID) {
			t.Errorf("%s: does it move money back, or rewrite keys, roles, or what they rest upon? Then it is due, otherwise calm with a reason", o.ID)
		}
		if o.StepUp != asks {
			t.Errorf("%s asks for %q, want %q", o.ID, o.StepUp, asks)
		}
		delete(due, o.ID)
		delete(calm, o.ID)
	}
	if len(due)+len(calm) > 0 {
		t.Errorf("no such operations: %v %v", due, calm)
	}
}
