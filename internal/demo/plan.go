package demo

import (
	"time"

	"cursus/internal/domain/catalog"
)

// course is one MOOC of the collection.
type course struct {
	key            string
	title, summary catalog.Text
	level          string
	hours          int
}

var collection = catalog.Collection{
	Key: "FLIRT", Title: catalog.Text{EN: "FLIRT: networks and telecommunications", FR: "FLIRT : réseaux et télécommunications"},
	Summary: catalog.Text{
		EN: "Short courses that stand alone and build on one another: knowledge, practical application and know-how.",
		FR: "Des cours courts, autonomes, qui se complètent : des connaissances, des applications pratiques et des savoir-faire.",
	},
}

var courses = []course{
	{"ALDDT", catalog.Text{EN: "From local networks to data transport", FR: "Aux lois du déplacement des données et télécoms"},
		catalog.Text{EN: "A first look at what moves data from one place to another.", FR: "Un premier regard sur ce qui transporte les données."}, "pre_bachelor", 20},
	{"PRD", catalog.Text{EN: "Principles of data networks", FR: "Principes des réseaux de données"},
		catalog.Text{EN: "Packets, addresses, protocols, and the way through a network.", FR: "Paquets, adresses, protocoles et chemin à travers un réseau."}, "pre_bachelor", 40},
	{"LAN", catalog.Text{EN: "Local area networks", FR: "Réseaux locaux"},
		catalog.Text{EN: "Ethernet, Wi-Fi and virtual networks, from the cable to the plan of a site.", FR: "Ethernet, Wi-Fi et réseaux virtuels, du câble au plan d’un site."}, "bachelor", 35},
	{"RQOS", catalog.Text{EN: "Routing and quality of service", FR: "Routage et qualité de service"},
		catalog.Text{EN: "How routers decide, and how a network keeps its promises.", FR: "Comment les routeurs décident, et comment un réseau tient ses promesses."}, "bachelor", 35},
	{"FTTH", catalog.Text{EN: "Fibre to the home", FR: "La fibre optique jusqu’au domicile"},
		catalog.Text{EN: "From the central office to the socket: design, laying and measuring.", FR: "Du central à la prise : conception, pose et mesures."}, "pre_bachelor", 25},
	{"RO", catalog.Text{EN: "Optical networks", FR: "Réseaux optiques"},
		catalog.Text{EN: "Light as a carrier: sources, fibres, amplifiers and switched colours.", FR: "La lumière comme support : sources, fibres, amplificateurs et longueurs d’onde."}, "bachelor", 30},
	{"PROPAG", catalog.Text{EN: "Radio propagation", FR: "Propagation radio"},
		catalog.Text{EN: "Waves in free space, in cities and in buildings.", FR: "Les ondes en espace libre, en ville et dans les bâtiments."}, "post_bachelor", 40},
	{"SR", catalog.Text{EN: "Network security", FR: "Sécurité des réseaux"},
		catalog.Text{EN: "Threats, keys, walls and good habits.", FR: "Menaces, clés, pare-feu et bonnes pratiques."}, "bachelor", 30},
}

// audience is whom the sessions of a course are for by Figures 7 and 8, where that is not its level: those who come from another course. Of RO the two figures say different
// things; the level stands.
var audience = map[string]string{"LAN": "MOOC PRD"}

// session is one run with the counts that its grade report gives. The counts of the paper's Figures 7, 9, 10 and 12 are the
// paper's; enrolled numbers that it does not print are the smallest round ones that give its printed rates.
type session struct {
	key, course                            string
	number                                 int
	starts, ends                           time.Time
	enrolled, started, diligent, succeeded int
	paid                                   *paying // who took the QUALIFYING formula; nil: it was not offered
	shared                                 []shared
}

// paying counts the learners of the QUALIFYING formula. They are among the session's first ones.
type paying struct {
	bought, started, diligent, eligible, certified int
}

// shared says how many learners came from an earlier session, and how many of those who started there start here too.
type shared struct {
	with            string
	learners, begin int
}

func day(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 8, 0, 0, 0, time.UTC) }

var sessions = []session{
	{"PRD-5", "PRD", 5, day(2017, 9, 18), day(2017, 11, 12), 9400, 1410, 830, 402, nil, nil},
	{"PRD-6", "PRD", 6, day(2018, 3, 12), day(2018, 5, 6), 10796, 1393, 842, 416, nil, nil},
	{"SR-1", "SR", 1, day(2018, 9, 10), day(2018, 10, 28), 6352, 527, 467, 396, nil, nil},
	{"LAN-1", "LAN", 1, day(2018, 9, 24), day(2018, 11, 11), 8313, 1571, 1047, 649, nil, nil},
	{"PRD-7", "PRD", 7, day(2018, 9, 17), day(2018, 11, 11), 7466, 1544, 426, 204, &paying{41, 33, 26, 25, 18}, nil},
	{"ALDDT-1", "ALDDT", 1, day(2019, 1, 14), day(2019, 2, 24), 3370, 1112, 610, 380, nil, nil},
	{"FTTH-1", "FTTH", 1, day(2019, 1, 21), day(2019, 3, 3), 6250, 1894, 1163, 956, nil, nil},
	{"PRD-8", "PRD", 8, day(2019, 3, 4), day(2019, 4, 28), 3941, 867, 410, 215, &paying{20, 20, 16, 16, 9}, []shared{{"ALDDT-1", 700, 194}}},
	{"PROPAG-1", "PROPAG", 1, day(2019, 3, 11), day(2019, 5, 5), 4325, 260, 120, 48, nil, nil},
	{"RQOS-6", "RQOS", 6, day(2019, 5, 6), day(2019, 6, 23), 3700, 445, 240, 150, nil, []shared{{"ALDDT-1", 505, 40}}},
	{"RO-1", "RO", 1, day(2019, 5, 20), day(2019, 7, 7), 10246, 2254, 1439, 907, nil, []shared{
		{"PRD-5", 1239, 0}, {"PRD-6", 1329, 0}, {"LAN-1", 1929, 0}, {"SR-1", 1768, 0}, {"FTTH-1", 2465, 0},
	}},
	{"SR-2", "SR", 2, day(2019, 9, 9), day(2019, 10, 27), 6080, 511, 438, 346, nil, nil},
	{"LAN-2", "LAN", 2, day(2019, 9, 23), day(2019, 11, 10), 5774, 491, 249, 198, nil, nil},
}

// people are the names of paying learners, used again and again with other first letters of addresses; they try what names
// can be.
var people = []string{
	"Awa Ndèye Diop", "Zoé N’Diaye", "François Lefèvre", "Léa Ménard", "Mamadou Ba", "Ngọc Anh Trần", "José Ñáñez", "Anaïs Çelik", "Søren Østergård",
	"محمد الأمين", "李小龍", "Łukasz Wójcik", "Fatou Sarr", "O’Connor Siobhán", "Jean-Baptiste Île", "Chloé D’Août", "Amadou Tall", "Marie-Ève Roÿ",
	"Ibrahima Fall", "Élodie Nguyễn",
}

// exerciseMap is that of every session of the demo.
const exerciseMap = `exercise,week,scored,activity
Homework 1: Week 1,1,Y,quiz
Homework 2: Week 2,2,Y,quiz
Homework 3: Week 3,3,Y,quiz
Case study,4,Y,case_study
Lab,5,Y,lab
`
