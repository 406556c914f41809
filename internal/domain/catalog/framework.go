package catalog

import "strings"

// Draft is a course as its authors write it: the common pedagogical framework (§2.1 of the paper) and what the charter (§2.2) asks
// about its videos. Its JSON is that of the contract (CourseDocument). What is not known yet is empty; Validate says which values are
// none, Conform which rules they break.
type Draft struct {
	Collection     string         `json:"collection,omitempty"` // key; empty: in none
	Position       int            `json:"position,omitempty"`   // in its collection
	Title          Text           `json:"title"`
	Summary        Text           `json:"summary"`
	Level          string         `json:"level,omitempty"`           // pre_bachelor, bachelor, post_bachelor
	Language       string         `json:"language,omitempty"`        // BCP 47: fr, en, pt-BR
	WorkloadHours  int            `json:"workload_hours,omitempty"`  // as announced; 0: what the chapters add up to
	ECTSHundredths int            `json:"ects_hundredths,omitempty"` // as agreed; 0: none agreed
	Skills         []Skill        `json:"skills,omitempty"`
	Prerequisites  []Prerequisite `json:"prerequisites,omitempty"`
	Team           []Member       `json:"team,omitempty"`
	Opening        *Opening       `json:"opening,omitempty"` // nil: not described yet
	Chapters       []Chapter      `json:"chapters,omitempty"`
	Closing        *Closing       `json:"closing,omitempty"`
	Look           Look           `json:"look"`
}

// Skill is something that a learner can do afterwards. The key is what the closing scales name.
type Skill struct {
	Key   string `json:"key"`
	Title Text   `json:"title"`
}

// Prerequisite is what has to be known before: another course, or a text.
type Prerequisite struct {
	Course string `json:"course,omitempty"` // key
	Text   Text   `json:"text"`
}

// The roles of a team.
const (
	ScientificLeader    = "scientific_leader"    // answers for the content
	PedagogicalEngineer = "pedagogical_engineer" // knows the platform and the making of videos
	Teacher             = "teacher"
)

// Member is somebody of the team, of a school.
type Member struct {
	Name   string `json:"name"`
	Role   string `json:"role"`
	School string `json:"school,omitempty"`
}

// Opening is the first section that all courses have in common; each part is there or not.
type Opening struct {
	WhoAreYou        bool `json:"who_are_you"`
	Motivations      bool `json:"motivations"`
	PrerequisiteQuiz bool `json:"prerequisite_quiz"`
	TeamPresentation bool `json:"team_presentation"`
	Recommendations  bool `json:"recommendations"`
}

// Closing is the last section, "Your opinion". Scales are the keys of the skills that learners place themselves on, before and after,
// from ScaleFrom to ScaleTo.
type Closing struct {
	Satisfaction bool     `json:"satisfaction"`
	Scales       []string `json:"scales,omitempty"`
}

// The ends of a skill scale.
const (
	ScaleFrom = 0
	ScaleTo   = 10
)

// Chapter is a week: its lectures, then the case study and the lab.
type Chapter struct {
	Title     Text      `json:"title"`
	Minutes   int       `json:"minutes,omitempty"` // expected; 0: what its activities add up to
	Lectures  []Lecture `json:"lectures,omitempty"`
	CaseStudy *Activity `json:"case_study,omitempty"` // practical application
	Lab       *Activity `json:"lab,omitempty"`        // know-how
}

// Lecture is knowledge: a video about one or two concepts, and the quiz that goes with it.
type Lecture struct {
	Title        Text      `json:"title"`
	VideoSeconds int       `json:"video_seconds,omitempty"` // 0: not measured
	Concepts     []string  `json:"concepts,omitempty"`
	Minutes      int       `json:"minutes,omitempty"` // expected, for the video and the reading; 0: the length of the video
	Quiz         *Activity `json:"quiz,omitempty"`
}

// Activity is something that learners do. Weight counts among the scored activities of the course.
type Activity struct {
	Title   Text `json:"title"`
	Scored  bool `json:"scored"`
	Weight  int  `json:"weight,omitempty"`
	Minutes int  `json:"minutes,omitempty"`
}

// Look is what the graphical charter asks about. Nil, 0 and empty: nobody looked.
type Look struct {
	Template   string `json:"template,omitempty"` // the slides' model
	Logo       *bool  `json:"logo,omitempty"`     // on each video
	TextPoints int    `json:"text_points,omitempty"`
}

// Workload is the expected work of an activity; none has none.
func (a *Activity) workload() int {
	if a == nil {
		return 0
	}
	return a.Minutes
}

// WorkloadMinutes is the expected work of a chapter: as said, or else the sum of its activities. A video counts whole minutes, up.
func (c Chapter) WorkloadMinutes() int {
	if c.Minutes > 0 {
		return c.Minutes
	}
	sum := c.CaseStudy.workload() + c.Lab.workload()
	for _, l := range c.Lectures {
		own := l.Minutes
		if own == 0 {
			own = (l.VideoSeconds + 59) / 60
		}
		sum += own + l.Quiz.workload()
	}
	return sum
}

// WorkloadMinutes is the expected work of the whole course: what its chapters add up to, or else what is announced.
func (d Draft) WorkloadMinutes() (sum int) {
	for _, c := range d.Chapters {
		sum += c.WorkloadMinutes()
	}
	if sum == 0 {
		return d.WorkloadHours * 60
	}
	return sum
}

// Hours is the workload to print: as announced, or else the chapters', up to the whole hour.
func (d Draft) Hours() int {
	if d.WorkloadHours > 0 {
		return d.WorkloadHours
	}
	return min((d.WorkloadMinutes()+59)/60, maxHours)
}

// minutesPerECTS: about 25 hours of work are one ECTS (§2.1).
const minutesPerECTS = 25 * 60

// SuggestedECTS is what the workload comes to, in hundredths, half up.
func (d Draft) SuggestedECTS() int {
	return (d.WorkloadMinutes()*100 + minutesPerECTS/2) / minutesPerECTS
}

// findable are the words by which staff find the working copy of a course.
func (d Draft) findable(key string) string {
	return strings.Join([]string{key, d.Title.EN, d.Title.FR, d.Summary.EN, d.Summary.FR, d.skillWords()}, "\n")
}

// skillWords are the skills' words in both languages, for the search.
func (d Draft) skillWords() string {
	words := ""
	for _, s := range d.Skills {
		words += s.Title.EN + "\n" + s.Title.FR + "\n"
	}
	return words
}
