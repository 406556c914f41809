package demo

import (
	"context"
	"fmt"

	"cursus/internal/domain/catalog"
	"cursus/internal/platform/postgres"
)

// outline is what the demo's authors wrote of a course: weeks as English and French titles, the skills, and who leads it.
type outline struct {
	weeks, skills  [][2]string
	leader, school string
	before         string // key of the course that comes before
	lectures       [][2]string
}

// steps are the lectures of a week where a course does not name its own.
var steps = [][2]string{
	{"What it is for", "À quoi cela sert"}, {"The principle", "Le principe"}, {"How it works", "Comment cela fonctionne"}, {"What can go wrong", "Ce qui peut mal tourner"},
}

var outlines = map[string]outline{
	"ALDDT": {
		weeks:  [][2]string{{"What a network carries", "Ce que transporte un réseau"}, {"Copper, fibre and radio", "Cuivre, fibre et radio"}, {"Addresses", "Adresses"}, {"From one network to the next", "D’un réseau à l’autre"}, {"The Internet", "L’Internet"}},
		skills: [][2]string{{"Explain the way of a message", "Expliquer le trajet d’un message"}, {"Choose a medium", "Choisir un support"}}, leader: "Awa Ndiaye", school: "IMT Atlantique",
	},
	"PRD": {
		weeks: [][2]string{{"Packets and protocols", "Paquets et protocoles"}, {"Local networks", "Réseaux locaux"}, {"Internet addresses", "Adresses Internet"}, {"Routing", "Routage"}, {"Transport", "Transport"}},
		lectures: [][2]string{
			{"Circuits and packets", "Circuits et paquets"}, {"Layers", "Les couches"}, {"Delay and throughput", "Délai et débit"}, {"Reading a capture", "Lire une capture"},
			{"Frames", "Les trames"}, {"Sharing a medium", "Partager un support"}, {"Switches", "Les commutateurs"}, {"Wireless networks", "Les réseaux sans fil"},
			{"Addresses and masks", "Adresses et masques"}, {"Subnets", "Les sous-réseaux"}, {"From IPv4 to IPv6", "D’IPv4 à IPv6"}, {"Finding a neighbour", "Trouver un voisin"},
			{"Routing tables", "Les tables de routage"}, {"Shortest paths", "Les plus courts chemins"}, {"Routing between operators", "Le routage entre opérateurs"}, {"When a link fails", "Quand un lien tombe"},
			{"Ports and sockets", "Ports et sockets"}, {"Reliable transport", "Le transport fiable"}, {"Congestion", "La congestion"}, {"Names and the Web", "Les noms et le Web"},
		},
		skills: [][2]string{{"Read a capture of packets", "Lire une capture de paquets"}, {"Plan the addresses of a site", "Planifier les adresses d’un site"}, {"Explain why a network is slow", "Expliquer pourquoi un réseau est lent"}},
		leader: "Géraldine Texier", school: "IMT Atlantique", before: "ALDDT",
	},
	"LAN": {
		weeks:  [][2]string{{"Ethernet", "Ethernet"}, {"Switching", "La commutation"}, {"Virtual networks", "Les réseaux virtuels"}, {"Wi-Fi", "Wi-Fi"}, {"The plan of a site", "Le plan d’un site"}},
		skills: [][2]string{{"Configure a switch", "Configurer un commutateur"}, {"Plan a wireless site", "Planifier un site sans fil"}}, leader: "Tayeb Lemlouma", school: "IMT Atlantique", before: "PRD",
	},
	"RQOS": {
		weeks:  [][2]string{{"Routers", "Les routeurs"}, {"OSPF", "OSPF"}, {"BGP", "BGP"}, {"Queues and priorities", "Files et priorités"}, {"Promises between networks", "Promesses entre réseaux"}, {"Measuring quality", "Mesurer la qualité"}},
		skills: [][2]string{{"Configure OSPF and BGP", "Configurer OSPF et BGP"}, {"Keep a promise of quality", "Tenir une promesse de qualité"}}, leader: "Isabelle Chrisment", school: "Télécom Nancy", before: "PRD",
	},
	"FTTH": {
		weeks:  [][2]string{{"Light in glass", "La lumière dans le verre"}, {"Passive networks", "Les réseaux passifs"}, {"Design", "La conception"}, {"Laying", "La pose"}, {"Measuring", "Les mesures"}},
		skills: [][2]string{{"Design a distribution network", "Concevoir un réseau de desserte"}, {"Measure a line", "Mesurer une ligne"}}, leader: "Michel Morvan", school: "IMT Atlantique",
	},
	"RO": {
		weeks:  [][2]string{{"Sources", "Les sources"}, {"Fibres", "Les fibres"}, {"Amplifiers", "Les amplificateurs"}, {"Wavelengths", "Les longueurs d’onde"}, {"Switched light", "La lumière commutée"}},
		skills: [][2]string{{"Make the budget of a link", "Faire le bilan d’une liaison"}, {"Plan wavelengths", "Planifier des longueurs d’onde"}}, leader: "Catherine Lepers", school: "Télécom SudParis", before: "FTTH",
	},
	"PROPAG": {
		weeks:  [][2]string{{"Waves", "Les ondes"}, {"Free space", "L’espace libre"}, {"In the city", "En ville"}, {"In buildings", "Dans les bâtiments"}, {"Planning a cell", "Planifier une cellule"}},
		skills: [][2]string{{"Predict a field", "Prévoir un champ"}, {"Plan a cell", "Planifier une cellule"}}, leader: "Alain Sibille", school: "Télécom Paris",
	},
	"IOT": {
		weeks:  [][2]string{{"Things and sensors", "Objets et capteurs"}, {"Radios for things", "Des radios pour les objets"}, {"Protocols", "Les protocoles"}, {"Platforms and data", "Plateformes et données"}, {"Security of things", "La sécurité des objets"}},
		skills: [][2]string{{"Build a node that measures and sends", "Construire un nœud qui mesure et transmet"}, {"Choose a radio for a use", "Choisir une radio pour un usage"}}, leader: "Laurent Toutain", school: "IMT Atlantique", before: "PRD",
	},
	"SR": {
		weeks:  [][2]string{{"Threats", "Les menaces"}, {"Keys", "Les clés"}, {"Walls", "Les pare-feu"}, {"Tunnels", "Les tunnels"}, {"Good habits", "Les bonnes pratiques"}},
		skills: [][2]string{{"Judge a risk", "Évaluer un risque"}, {"Configure a firewall", "Configurer un pare-feu"}}, leader: "Hervé Debar", school: "Télécom SudParis", before: "PRD",
	},
}

func said(t [2]string) catalog.Text { return catalog.Text{EN: t[0], FR: t[1]} }

// document is a course in the common framework. The longest video of PRD is beyond the charter's 7 minutes, and its workload beyond the
// usual 25 hours: the report has something to show.
func document(c course, position int) catalog.Draft {
	o, yes := outlines[c.key], true
	d := catalog.Draft{
		Collection: collection.Key, Position: position, Title: c.title, Summary: c.summary, Level: c.level, Language: "fr", WorkloadHours: c.hours,
		Opening: &catalog.Opening{WhoAreYou: true, Motivations: true, PrerequisiteQuiz: true, TeamPresentation: true, Recommendations: true},
		Closing: &catalog.Closing{Satisfaction: true}, Look: catalog.Look{Template: "FLIRT", Logo: &yes, TextPoints: 24},
		Team: []catalog.Member{
			{Name: o.leader, Role: catalog.ScientificLeader, School: o.school}, {Name: "Fatou Sarr", Role: catalog.PedagogicalEngineer, School: "IMT"},
			{Name: "Jean-Marc Petit", Role: catalog.Teacher, School: "Télécom Paris"}, {Name: "Moussa Ba", Role: catalog.Teacher, School: "ESP Dakar"},
		},
	}
	if o.before != "" {
		d.Prerequisites = append(d.Prerequisites, catalog.Prerequisite{Course: o.before})
	}
	d.Prerequisites = append(d.Prerequisites, catalog.Prerequisite{Text: catalog.Text{EN: "Mathematics of the last year of school", FR: "Mathématiques de terminale"}})
	for i, s := range o.skills {
		key := fmt.Sprintf("skill-%d", i+1)
		d.Skills, d.Closing.Scales = append(d.Skills, catalog.Skill{Key: key, Title: said(s)}), append(d.Closing.Scales, key)
	}
	for i, week := range o.weeks {
		d.Chapters = append(d.Chapters, chapterOf(o, i, week, c.hours*60/len(o.weeks)))
	}
	if c.key == "PRD" {
		d.Chapters[3].Lectures[1].VideoSeconds = 7*60 + 40
	}
	return d
}

// chapterOf is a week of so many minutes: a fifth of them for the lectures' quizzes and videos, the rest for the case study and the lab.
func chapterOf(o outline, i int, title [2]string, minutes int) catalog.Chapter {
	c := catalog.Chapter{
		Title: said(title), Minutes: minutes,
		CaseStudy: &catalog.Activity{Title: catalog.Text{EN: "The case of the week", FR: "Le cas de la semaine"}, Scored: true, Weight: 10, Minutes: minutes / 4},
		Lab:       &catalog.Activity{Title: catalog.Text{EN: "In the simulator", FR: "Au simulateur"}, Scored: true, Weight: 10, Minutes: minutes / 3},
	}
	names := steps
	if o.lectures != nil {
		names = o.lectures[4*i : 4*i+4]
	}
	for j, name := range names {
		c.Lectures = append(c.Lectures, catalog.Lecture{
			Title: said(name), VideoSeconds: 250 + 37*((3*i+2*j)%5), Concepts: []string{name[0]}, Minutes: minutes / 20, Quiz: &catalog.Activity{Scored: true, Weight: 2, Minutes: 10},
		})
	}
	return c
}

// publish writes a course, has it read, and publishes it, as its authors would.
func publish(ctx context.Context, tx *postgres.Tx, c course, position int) error {
	if _, err := catalog.PutDraftTx(ctx, tx, c.key, document(c, position), catalog.NoVersion); err != nil {
		return err
	}
	for _, step := range []struct {
		to   catalog.Publication
		note string
	}{{catalog.InReview, "Ready to be read."}, {catalog.Published, "Read by two colleagues."}} {
		if _, _, err := catalog.MoveCourseTx(ctx, tx, c.key, step.to, step.note, catalog.AnyVersion); err != nil {
			return err
		}
	}
	return nil
}
