package web

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/intakes"
	"cursus/internal/domain/surveys"
	"cursus/internal/kernel/fault"
)

// surveyRoutes are the addresses of questionnaires: the page of who answers, and the desk of who asks.
func (w *Web) surveyRoutes() []route {
	return []route{
		{method: "GET", path: "/learning/:id/questionnaires/:moment", who: signedIn, handle: w.survey},
		{method: "POST", path: "/learning/:id/questionnaires/:moment", who: signedIn, handle: w.answerSurvey, large: true},
		{method: "GET", path: "/console/surveys", who: staff, handle: w.surveyDesk},
		{method: "POST", path: "/console/surveys", who: staff, handle: w.takeFile, upload: true, slow: true},
		{method: "POST", path: "/console/surveys/questionnaire", who: staff, handle: w.workOnSurveys, large: true},
	}
}

// surveyPage is a questionnaire as somebody answers it.
type surveyPage struct {
	surveys.Sheet
	Saved bool
	Wrong *fault.Fault
}

// surveyRow is a question with what is said to it.
type surveyRow struct {
	surveys.Question
	Number int
	Said   surveys.Answer
	Scales []surveyScale
}

// surveyScale is a line of eleven buttons. Chosen is nil while nothing is said.
type surveyScale struct {
	Name, Words string // of the field, and the key of what stands before it
	Chosen      *int
}

// Values are those of a scale.
func (surveyScale) Values() (all []int) {
	for v := range surveys.Scale + 1 {
		all = append(all, v)
	}
	return all
}

// Is says whether a value is the chosen one.
func (s surveyScale) Is(v int) bool { return s.Chosen != nil && *s.Chosen == v }

// Chose says whether a choice is among hers.
func (r surveyRow) Chose(code string) bool { return slices.Contains(r.Said.Choices, code) }

// Rows are the questions.
func (p surveyPage) Rows() (rows []surveyRow) {
	for i, x := range p.Questionnaire.Questions {
		row := surveyRow{Question: x, Number: i + 1, Said: p.Of(x.Code)}
		switch x.Kind {
		case surveys.Skill:
			for _, part := range x.Parts(p.Questionnaire.Moment) {
				chosen := row.Said.Before
				if part == surveys.After {
					chosen = row.Said.After
				}
				row.Scales = append(row.Scales, surveyScale{x.Code + "." + part, "surveys." + part, chosen})
			}
		case surveys.Satisfaction, surveys.Recommend:
			row.Scales = []surveyScale{{x.Code, "surveys.value", row.Said.Value}}
		}
		rows = append(rows, row)
	}
	return rows
}

func (w *Web) survey(r *request) (reply, error) {
	s, err := w.house.Survey(r.ctx, r.viewer, r.param("id"), surveys.Moment(r.param("moment")))
	return reply{page: "survey", title: "surveys.title." + string(s.Questionnaire.Moment), data: surveyPage{Sheet: s, Saved: r.query("saved") != ""}}, err
}

// answerSurvey takes the whole sheet; what cannot be taken comes back with the reason and as it was written.
func (w *Web) answerSurvey(r *request) (reply, error) {
	m := surveys.Moment(r.param("moment"))
	s, err := w.house.Survey(r.ctx, r.viewer, r.param("id"), m)
	if err != nil {
		return reply{}, err
	}
	f := &formReader{r: r}
	value := func(name string) *int {
		if f.text(name) == "" {
			return nil
		}
		n := f.number(name)
		return &n
	}
	var answers []surveys.Answer
	for _, x := range s.Questionnaire.Questions {
		a := surveys.Answer{Question: x.Code, Before: value(x.Code + ".before"), After: value(x.Code + ".after")}
		switch x.Kind {
		case surveys.Satisfaction, surveys.Recommend:
			a.Value = value(x.Code)
		case surveys.Single, surveys.Multiple:
			a.Choices = slices.DeleteFunc(slices.Clone(r.forms(x.Code)), func(c string) bool { return c == "" })
		case surveys.Words:
			a.Text = f.text(x.Code)
		}
		answers = append(answers, a)
	}
	err = f.fault()
	if err == nil {
		err = w.house.AnswerSurvey(r.ctx, r.viewer, r.param("id"), m, answers)
	}
	if wrong := refusal(err); wrong != nil && wrong.Kind != fault.NotFound {
		s.Answers = answers
		return reply{page: "survey", title: "surveys.title." + string(m), data: surveyPage{Sheet: s, Wrong: wrong}, status: refusedAs(wrong)}, nil
	}
	return reply{redirect: "/learning/" + url.PathEscape(r.param("id")) + "/questionnaires/" + url.PathEscape(string(m)) + "?saved=1"}, err
}

// surveyDeskPage is the desk: what is asked, a file that was tried, and what was taken in.
type surveyDeskPage struct {
	SurveyDesk
	Rows     []writtenQuestion
	Opens    string
	Closes   string
	Version  int
	Done     string
	Wrong    *fault.Fault
	Result   *surveys.Import
	Forum    bool   // the result is of a forum
	Kept     string // the file that was tried
	Mapping  string
	At, Name string // when the file was made, and what it is called
	Targets  []string
}

// writtenQuestion is a question as it stands in the form.
type writtenQuestion struct{ Code, Kind, EN, FR, Choices string }

// Kinds are those of questions.
func (surveyDeskPage) Kinds() []surveys.Kind { return surveys.Kinds() }

// Moments are those of questionnaires.
func (surveyDeskPage) Moments() []surveys.Moment { return surveys.Moments() }

func questionsIn(c surveys.Content) (rows []writtenQuestion) {
	for _, x := range c.Questions {
		row := writtenQuestion{x.Code, string(x.Kind), x.Title.EN, x.Title.FR, ""}
		for _, choice := range x.Choices {
			row.Choices += choice.Code + " | " + choice.Title.EN + " | " + choice.Title.FR + "\n"
		}
		rows = append(rows, row)
	}
	return rows
}

// contentOf reads the form; a question without a code is none.
func contentOf(r *request) (c surveys.Content, rows []writtenQuestion, err error) {
	f := &formReader{r: r}
	codes, kinds, en, fr, choices := r.forms("code"), r.forms("kind"), r.forms("en"), r.forms("fr"), r.forms("choices")
	n := len(codes)
	if len(kinds) != n || len(en) != n || len(fr) != n || len(choices) != n {
		return c, nil, errField
	}
	c.OpensAt, c.ClosesAt, c.Questions = f.time("opens_at", zone), f.time("closes_at", zone), []surveys.Question{}
	for i, code := range codes {
		row := writtenQuestion{strings.TrimSpace(code), kinds[i], strings.TrimSpace(en[i]), strings.TrimSpace(fr[i]), choices[i]}
		if row.Code == "" && row.EN == "" && row.FR == "" {
			continue
		}
		rows = append(rows, row)
		x := surveys.Question{Code: row.Code, Kind: surveys.Kind(row.Kind), Title: catalog.Text{EN: row.EN, FR: row.FR}}
		for _, line := range strings.Split(row.Choices, "\n") {
			if line = strings.TrimSpace(line); line == "" {
				continue
			}
			parts := append(strings.SplitN(line, "|", 3), "", "")
			x.Choices = append(x.Choices, surveys.Choice{Code: strings.TrimSpace(parts[0]), Title: catalog.Text{EN: strings.TrimSpace(parts[1]), FR: strings.TrimSpace(parts[2])}})
		}
		c.Questions = append(c.Questions, x)
	}
	return c, rows, f.fault()
}

func (w *Web) surveyDeskOf(r *request, session string, m surveys.Moment) (p surveyDeskPage, err error) {
	if !slices.Contains(surveys.Moments(), m) {
		m = surveys.Closing
	}
	p.SurveyDesk, err = w.house.SurveyDesk(r.ctx, r.viewer, session, m)
	x := p.Questionnaire
	p.Rows, p.Opens, p.Closes, p.Version, p.Targets = questionsIn(x.Content), timeField(x.OpensAt), timeField(x.ClosesAt), x.Version, x.Targets()
	return p, err
}

func (w *Web) surveyDesk(r *request) (reply, error) {
	p, err := w.surveyDeskOf(r, strings.TrimSpace(r.query("session")), surveys.Moment(r.query("moment")))
	if f := refusal(err); f != nil {
		if p, err = w.surveyDeskOf(r, "", ""); err == nil {
			p.Wrong = f
		}
	}
	if done := r.query("done"); done == "saved" || done == "published" || done == "invite" {
		p.Done = done
	}
	p.Rows = append(p.Rows, make([]writtenQuestion, 2)...)
	return reply{page: "survey_desk", title: "surveys.desk", data: p, status: refusedAs(p.Wrong)}, err
}

// workOnSurveys saves or publishes what is asked, or says whether learners are invited to it.
func (w *Web) workOnSurveys(r *request) (reply, error) {
	session, m := r.form("session"), surveys.Moment(r.form("moment"))
	version, err := strconv.Atoi(r.form("version"))
	if r.form("version") != "" && err != nil {
		return reply{}, errField
	}
	p, err := w.surveyDeskOf(r, session, m)
	if err != nil {
		return reply{}, err
	}
	switch do := r.form("do"); do {
	case "save", "publish", "more":
		c, rows, err := contentOf(r)
		p.Opens, p.Closes, p.Rows, p.Version = r.form("opens_at"), r.form("closes_at"), rows, version
		if err == nil && do != "more" {
			err = w.house.PutSurvey(r.ctx, r.viewer, session, p.Moment, c, version)
		}
		if err == nil && do == "publish" {
			err = w.house.PublishSurvey(r.ctx, r.viewer, session, p.Moment, 0)
		}
		if err == nil && do != "more" {
			return reply{redirect: "/console/surveys?" + url.Values{"session": {p.Session}, "moment": {string(p.Moment)}, "done": {map[string]string{"save": "saved", "publish": "published"}[do]}}.Encode()}, nil
		}
		p.Wrong = changed(err)
		if err != nil && p.Wrong == nil {
			return reply{}, err
		}
		p.Rows = append(p.Rows, make([]writtenQuestion, 3)...)
	case "invite":
		err := w.house.PutInvitations(r.ctx, r.viewer, p.Session, r.form("enabled") == "1", version)
		if p.Wrong = changed(err); p.Wrong == nil {
			return reply{redirect: "/console/surveys?" + url.Values{"session": {p.Session}, "moment": {string(p.Moment)}, "done": {"invite"}}.Encode()}, err
		}
		p.Rows = append(p.Rows, make([]writtenQuestion, 2)...)
	default:
		return reply{}, errDo
	}
	return reply{page: "survey_desk", title: "surveys.desk", data: p, status: refusedAs(p.Wrong)}, nil
}

// takeFile takes a file in: tried first, then, with the columns as they were said, for good.
func (w *Web) takeFile(r *request) (reply, error) {
	do := r.form("do")
	if !slices.Contains([]string{"try", "apply", "try-forum", "apply-forum"}, do) {
		return reply{}, errDo
	}
	p, err := w.surveyDeskOf(r, r.form("session"), surveys.Moment(r.form("moment")))
	if err == nil {
		err = w.takeSurvey(r, &p, do)
	}
	p.Rows = append(p.Rows, make([]writtenQuestion, 2)...)
	return reply{page: "survey_desk", title: "surveys.desk", data: p, status: refusedAs(p.Wrong)}, err
}

// changed is a refusal that a form shows: of what was written, or because somebody else wrote meanwhile.
func changed(err error) *fault.Fault {
	if f := fault.From(err); err != nil && f.Kind == fault.Precondition {
		return f
	}
	return refusal(err)
}

func (w *Web) takeSurvey(r *request, p *surveyDeskPage, do string) error {
	content, err := given(r)
	if err != nil {
		return err
	}
	p.Forum = strings.HasSuffix(do, "-forum")
	p.At, p.Name, p.Mapping = r.form("collected_at"), strings.TrimSpace(r.form("name")), r.form("mapping")
	in := surveys.Intake{Session: p.Session, FileName: p.Name, Content: content, DryRun: strings.HasPrefix(do, "try"), Via: intakes.ByPage}
	if in.FileName == "" {
		in.FileName = "file.csv"
	}
	f := &formReader{r: r}
	if at := f.time("collected_at", zone); at != nil {
		in.CollectedAt = at.UTC()
	}
	if in.Map, err = mappedIn(p.Mapping); err == nil {
		err = f.fault()
	}
	m := p.Moment
	if p.Forum {
		m = ""
	}
	var result surveys.Import
	switch {
	case err != nil:
	case len(content) == 0:
		err = errNoFile
	default:
		result, err = w.house.TakeSurvey(r.ctx, r.viewer, m, in)
	}
	if err != nil {
		if p.Wrong = refusal(err); p.Wrong == nil {
			return err
		}
		return nil
	}
	p.Result = &result
	if p.Mapping = ""; !p.Forum {
		for _, x := range result.Map {
			p.Mapping += x.Column + " = " + x.Target + "\n"
		}
	}
	if in.DryRun && !result.Replayed {
		p.Kept, err = pack(content)
	} else if !in.DryRun {
		fresh, err := w.surveyDeskOf(r, p.Session, p.Moment)
		p.Imports = fresh.Imports
		return err
	}
	return err
}

// mappedIn reads what columns are, one a line.
func mappedIn(text string) (all []surveys.Mapped, err error) {
	for i, line := range strings.Split(text, "\n") {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		m, ok := surveys.ReadMapped(line)
		if !ok {
			return nil, fault.InvalidInput(fault.Field{Pointer: fmt.Sprintf("/mapping/%d", i+1), Code: "bad-mapping", Detail: "name of the column = what it is."})
		}
		all = append(all, m)
	}
	return all, nil
}

// Shown are the outcomes that a page shows: what was left out, and how many more.
func (p surveyDeskPage) Shown() (all []surveys.Outcome) {
	for _, o := range p.Result.Outcomes {
		if o.Outcome == surveys.RowRejected && len(all) < 100 {
			all = append(all, o)
		}
	}
	return all
}
