package web

import (
	"strings"
	"testing"

	"cursus/internal/domain/programs"
)

// Why a course is not open or not done is said with titles and figures, in both languages.
func TestWhyIsSaidWithTitlesAndFigures(t *testing.T) {
	_, w := open(t, newFake(), "http://cursus.test")
	called := Called{Names: map[string]Text{"PRD": {EN: "Data networks", FR: "Réseaux de données"}}, Marks: map[string]Mark{"PRD": {360_000, 600_000}}}
	for _, x := range []struct {
		course string
		reason programs.Reason
		en, fr string
	}{
		{"PRD", programs.Reason{Code: programs.NotPassed}, "your grade is 36%, 60% is needed", "votre note est de 36 %, il faut 60 %"},
		{"LAN", programs.Reason{Code: programs.NotPassed}, "not passed yet", "pas encore réussi"},
		{"LAN", programs.Reason{Code: programs.GradeBelow, NeedPPM: 700_000, ByPPM: 150_000}, "your grade is 55%, 70% is needed", "votre note est de 55 %, il faut 70 %"},
		{"LAN", programs.Reason{Code: programs.NeedsPassed, Courses: []string{"PRD"}}, "needs Data networks (PRD) to be passed (your grade is 36%, 60% is needed)", "demande d’avoir réussi Réseaux de données (PRD) (votre note est de 36 %, il faut 60 %)"},
		{"LAN", programs.Reason{Code: programs.NeedsPrevious, Courses: []string{"SR"}, NeedPPM: 700_000, ByPPM: 100_000}, "opens when the course before it, SR, is passed (your grade is 60%, 70% is needed)", "ouvre quand le cours précédent, SR, est réussi (votre note est de 60 %, il faut 70 %)"},
		{"LAN", programs.Reason{Code: programs.NeedsOneOf, Courses: []string{"PRD", "SR"}}, "needs one of Data networks (PRD), SR to be passed", "demande d’avoir réussi l’un de Réseaux de données (PRD), SR"},
	} {
		for lang, want := range map[string]string{"en": x.en, "fr": x.fr} {
			v := View{Lang: lang, web: w}.Calling(called)
			if got, err := v.Why(x.course, x.reason); err != nil || strings.ReplaceAll(got, "\u00a0", " ") != want {
				t.Errorf("%s, %+v: %q, %v\nwant %q", lang, x.reason, got, err, want)
			}
		}
	}
}
