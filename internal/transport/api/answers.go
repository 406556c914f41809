package api

import (
	"time"

	contract "cursus/api"
	"cursus/internal/domain/certificates"
	"cursus/internal/domain/gradebook"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/money"
)

// maxRejects is how many unreadable rows one answer lists; the count beside them is of all.
const maxRejects = 1000

func utc(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	u := t.UTC()
	return &u
}

// list is never null.
func list(in []string) []string { return append([]string{}, in...) }

func toText(t Text) contract.Text { return contract.Text{En: given(t.EN), Fr: given(t.FR)} }

func toMoney(a money.Amount) contract.Money {
	return contract.Money{AmountMinor: a.Minor, Currency: string(a.Currency)}
}

func toCourse(c Course) contract.Course {
	return contract.Course{
		Id: c.ID, Key: c.Key, Collection: given(c.Collection), Title: toText(c.Title), Summary: toText(c.Summary),
		Level: given(contract.CourseLevel(c.Level)), WorkloadHours: given(c.WorkloadHours), Language: given(c.Language),
		EctsHundredths: given(c.ECTSHundredths), Sessions: each(c.Sessions, toSummary),
	}
}

func toSummary(s SessionSummary) contract.SessionSummary {
	return contract.SessionSummary{
		Id: s.ID, Key: s.Key, Course: s.Course, Number: given(s.Number), Title: toText(s.Title), State: contract.SessionState(s.State),
		StartsAt: utc(s.StartsAt), EndsAt: utc(s.EndsAt), EnrolFrom: utc(s.EnrolFrom), EnrolUntil: utc(s.EnrolUntil),
	}
}

func toSession(s Session) contract.Session {
	return contract.Session{
		Id: s.ID, Key: s.Key, Course: s.Course, Number: given(s.Number), Title: toText(s.Title), State: contract.SessionState(s.State),
		StartsAt: utc(s.StartsAt), EndsAt: utc(s.EndsAt), EnrolFrom: utc(s.EnrolFrom), EnrolUntil: utc(s.EnrolUntil),
		Publication: contract.PublicationState(s.Publication), Platform: s.Platform, CourseUrl: given(s.CourseURL), Audience: given(s.Audience), ThresholdPpm: s.ThresholdPPM, Offers: each(s.Offers, toOffer),
		Exercises: each(s.Exercises, func(e Exercise) contract.Exercise {
			return contract.Exercise{Label: e.Label, Week: e.Week, Scored: e.Scored, Activity: contract.ExerciseActivity(e.Activity), WeightPpm: given(int(e.Weight))}
		}),
	}
}

func fromExercise(e contract.Exercise) Exercise {
	return Exercise{Label: e.Label, Week: e.Week, Scored: e.Scored, Activity: string(e.Activity), Weight: int64(value(e.WeightPpm))}
}

func toOffer(o Offer) contract.Offer {
	return contract.Offer{
		Id: o.ID, Session: given(o.Session), Formula: o.Formula, Price: toMoney(o.Price), Entitlements: list(o.Entitlements),
		ValidFrom: utc(o.ValidFrom), ValidUntil: utc(o.ValidUntil), Audience: given(o.Audience), Quota: o.Quota, Call: words80(o.Call),
		Withdrawal: given(contract.WithdrawalRight(o.Withdrawal)),
	}
}

func words80(t Text) *contract.Words80 {
	if t == (Text{}) {
		return nil
	}
	return &contract.Words80{En: given(t.EN), Fr: given(t.FR)}
}

func toOrder(o sales.Order) contract.Order {
	first := o.Lines[0]
	out := contract.Order{
		Id: o.ID, State: contract.OrderState(o.State), Way: contract.OrderWay(o.Way), Lines: each(o.Lines, toLine),
		NextAction: toNext(o.Next), Actions: each(o.Actions, toAction),
		Session: given(first.SessionKey), Edition: given(first.EditionKey), OfferId: first.OfferID, Formula: first.Formula, Entitlements: list(first.Entitlements),
		EnrolmentId: given(first.Enrolment()), Total: toMoney(o.Total), Credited: toMoney(o.Credited), CheckoutUrl: given(o.PayURL),
		InvoiceNumber: given(o.InvoiceNumber), Organisation: given(o.Organisation), PlacedBy: given(o.PlacedBy), Demo: o.Demo, PlacedAt: o.PlacedAt.UTC(), ExpiresAt: utc(o.ExpiresAt), PaidAt: utc(o.PaidAt),
	}
	if s := o.Schedule; s != nil {
		out.Schedule = &contract.Schedule{
			OnDefault: contract.ScheduleOnDefault(s.OnDefault), EndAfterDays: s.EndAfterDays, CardKept: s.CardKept, Owed: toMoney(s.Owed(o.Total.Currency)),
			Instalments: each(s.Instalments, func(i sales.Instalment) contract.Instalment {
				return contract.Instalment{
					N: i.N, Amount: toMoney(i.Amount), DueAt: i.DueAt.UTC(), State: contract.InstalmentState(i.State), Attempts: i.Attempts, Why: given(i.Why), NextAt: utc(i.NextAt),
					SettledAt: utc(i.SettledAt),
				}
			}),
		}
	}
	return out
}

func toLine(l sales.Line) contract.OrderLine {
	out := contract.OrderLine{
		Line: l.N, OfferId: l.OfferID, Session: given(l.SessionKey), Edition: given(l.EditionKey), Title: toText(Text{EN: l.Title.EN, FR: l.Title.FR}),
		Formula: l.Formula, Entitlements: list(l.Entitlements), Quantity: l.Quantity, ListPrice: toMoney(l.List), Discount: toMoney(l.Discount),
		DiscountReason: given(l.Reason), Total: toMoney(l.Total), Credited: toMoney(l.Credited), EnrolmentId: given(l.Enrolment()),
	}
	if l.Version > 0 {
		out.Version = &l.Version
	}
	return out
}

func toEnrolment(e Enrolment) contract.Enrolment {
	out := contract.Enrolment{
		Id: e.ID, State: contract.EnrolmentState(e.State), Session: e.Session, Title: toText(e.Title), Formula: given(e.Formula),
		Entitlements: list(e.Entitlements), OpenedAt: e.OpenedAt.UTC(), GradePpm: e.GradePPM, CourseUrl: given(e.CourseURL),
		CertificateId: given(e.CertificateID),
		Stages: each(e.Stages, func(s Stage) contract.Stage {
			return contract.Stage{Code: contract.StageCode(s.Code), ReachedAt: s.ReachedAt.UTC()}
		}),
	}
	if e.Sitting != nil {
		s := toSitting(*e.Sitting)
		out.Sitting = &s
	}
	if e.LMSState != "" {
		state := contract.LMSState(e.LMSState)
		out.LmsState = &state
	}
	return out
}

func toSitting(s Sitting) contract.Sitting {
	return contract.Sitting{
		Id: s.ID, EnrolmentId: s.EnrolmentID, Attempt: s.Attempt, State: contract.SittingState(s.State), Kind: contract.ExamKind(s.Kind), SlotId: given(s.SlotID), ScorePpm: s.ScorePPM,
		Reference: given(s.Reference), BookedAt: s.BookedAt.UTC(), ResultAt: utc(s.ResultAt),
	}
}

func toCertificate(c Certificate) contract.Certificate {
	return contract.Certificate{
		Id: c.ID, State: contract.CertificateState(c.State), Code: c.Code, Kind: c.Kind, EnrolmentId: given(c.EnrolmentID), LearnerId: given(c.LearnerID), Session: c.Session,
		CourseTitle: c.CourseTitle, HolderName: c.HolderName, Formula: c.Formula, Issuer: c.Issuer, Grade: given(c.Grade),
		IssuedAt: c.IssuedAt.UTC(), RevokedAt: utc(c.RevokedAt), RevokedReason: given(c.RevokedReason), Sha256: given(c.SHA256),
		ReplacedAt: utc(c.ReplacedAt), ReplacesId: given(c.ReplacesID), ReplacedById: given(c.ReplacedByID), Partners: some(c.Partners),
		VerificationUrl: c.VerificationURL, Demo: c.Demo, Transcript: toTranscript(c.Transcript),
	}
}

func toTranscript(t *certificates.Transcript) *contract.Transcript {
	if t == nil {
		return nil
	}
	return &contract.Transcript{
		Heading: toText(Text(t.Heading)), Title: toText(Text(t.Title)), Complete: t.Complete, EctsDoneHundredths: t.ECTSDone, EctsHundredths: t.ECTSNeeded,
		Records: each(t.Records, func(r certificates.Record) contract.TranscriptRecord {
			return contract.TranscriptRecord{
				Course: r.Course, Title: toText(Text(r.Title)), Workshop: r.Workshop, Optional: r.Optional, Session: given(r.Session), By: given(r.By), WorkloadHours: r.WorkloadHours,
				EctsHundredths: r.ECTSHundredths, GradePpm: r.GradePPM, State: contract.TranscriptRecordState(r.State), PassedAt: utc(r.PassedAt),
			}
		}),
	}
}

// some is a list that is left out where it is empty.
func some(in []string) *[]string {
	if len(in) == 0 {
		return nil
	}
	return &in
}

func toCollection(c gradebook.Collection) contract.Collection {
	labels := func(all []string) []string {
		return each(all[:min(len(all), maxRejects)], func(s string) string { return clip(s, 254) })
	}
	return contract.Collection{
		Id: c.ID, CollectedAt: c.CollectedAt.UTC(), RecordedAt: c.RecordedAt.UTC(), FileName: c.FileName, Kind: contract.CollectionKind(c.Kind), Family: contract.CollectionFamily(c.Family),
		Origin: c.Origin, Via: given(contract.CollectionVia(c.Via)), Bytes: c.Bytes, Sha256: c.SHA256, RowsRead: c.RowsRead, RowsRejected: c.RowsRejected, LinesIgnored: c.LinesIgnored, Duplicates: c.Duplicates,
		LearnersNew: c.LearnersNew, LearnersLeft: c.LearnersLeft, LearnersBack: c.LearnersBack, CellsChanged: c.CellsChanged, ScoresFirst: c.ScoresFirst,
		ScoresRaised: c.ScoresRaised, ScoresLowered: c.ScoresLowered, ScoresDropped: c.ScoresDropped, Replayed: c.Replayed,
		Unmapped: labels(c.Unmapped), NewColumns: labels(c.NewColumns), AbsentColumns: labels(c.AbsentColumns),
		Rejects: each(c.Rejects[:min(len(c.Rejects), maxRejects)], func(r gradebook.Reject) contract.Reject {
			return contract.Reject{Line: r.Line, Column: r.Column, Code: r.Code, Detail: clip(r.Detail, 499)}
		}),
		Learners: each(c.Learners[:min(len(c.Learners), maxRejects)], func(l gradebook.LearnerChange) contract.LearnerChange {
			return contract.LearnerChange{Enrolment: l.EnrolmentID, Line: l.Line, Learner: clip(l.Learner, 254), Change: contract.LearnerChangeChange(l.Change), First: l.First, Raised: l.Raised, Lowered: l.Lowered, Dropped: l.Dropped}
		}),
		Warnings: each(c.Warnings, func(s string) contract.CollectionWarnings { return contract.CollectionWarnings(s) }),
		Questions: each(c.Questions[:min(len(c.Questions), maxRejects)], func(q gradebook.Question) contract.ColumnQuestion {
			return contract.ColumnQuestion{Label: clip(q.Label, 254), Occurrence: q.Occurrence, Suggested: given(clip(q.Suggested, 254)), Choices: labels(q.Choices)}
		}),
	}
}

func toMetric(m Metric) contract.Metric {
	return contract.Metric{Id: m.ID, Formula: m.Formula, Version: m.Version, Rate: contract.Rate{
		Count: m.Rate.Count, Of: m.Rate.Of, TenthsOfPercent: m.Rate.Tenths, Wilson95LowTenths: m.Rate.Low, Wilson95HighTenths: m.Rate.High,
	}}
}

func toRevenue(r Revenue) contract.Revenue {
	return contract.Revenue{Currency: string(r.Currency), Metrics: each(r.Metrics, func(m MoneyMetric) contract.MoneyMetric {
		out := contract.MoneyMetric{Id: m.ID, Formula: m.Formula, Version: m.Version, Of: m.Of}
		if m.Amount != nil {
			a := toMoney(*m.Amount)
			out.Amount = &a
		}
		return out
	})}
}
