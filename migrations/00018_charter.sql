-- +goose Up
-- The charter of §2.1 and §2.2, as far as it gives numbers. What learners would miss, or the collection would not be recognised by, blocks; the
-- rest warns, because courses that were made before the charter are sold too.
INSERT INTO catalog.charters (version, rules, note, written_by, written_at) VALUES (1, '[
  {"key": "video-length", "text": {"en": "A video lasts 7 minutes at most.", "fr": "Une vidéo dure 7 minutes au plus."}, "check": "video_seconds", "most": 420, "severity": "warn"},
  {"key": "concepts", "text": {"en": "A video is about one or two concepts.", "fr": "Une vidéo porte sur un ou deux concepts."}, "check": "concepts_per_video", "least": 1, "most": 2, "severity": "warn"},
  {"key": "chapters", "text": {"en": "A course has 5 or 6 chapters.", "fr": "Un cours a 5 ou 6 chapitres."}, "check": "chapters", "least": 5, "most": 6, "severity": "warn"},
  {"key": "lectures", "text": {"en": "A chapter has 4 to 7 lectures.", "fr": "Un chapitre a de 4 à 7 leçons."}, "check": "lectures_per_chapter", "least": 4, "most": 7, "severity": "warn"},
  {"key": "case-study", "text": {"en": "Each chapter has a case study.", "fr": "Chaque chapitre a une étude de cas."}, "check": "activity_per_chapter", "name": "case_study", "severity": "warn"},
  {"key": "lab", "text": {"en": "Each chapter has a lab.", "fr": "Chaque chapitre a un TP."}, "check": "activity_per_chapter", "name": "lab", "severity": "warn"},
  {"key": "logo", "text": {"en": "The logo of the collection is on each video.", "fr": "Le logo de la collection figure sur chaque vidéo."}, "check": "logo", "severity": "block"},
  {"key": "text-size", "text": {"en": "No text on a slide is smaller than 20 points.", "fr": "Aucun texte d’une diapositive ne fait moins de 20 points."}, "check": "text_points", "least": 20, "severity": "warn"},
  {"key": "template", "text": {"en": "The slides follow the model of the collection.", "fr": "Les diapositives suivent le modèle de la collection."}, "check": "template", "severity": "warn"},
  {"key": "opening", "text": {"en": "The opening section is complete: who are you, motivations, prerequisite quiz, team, recommendations.", "fr": "La section d’ouverture est complète : qui êtes-vous, motivations, quiz de prérequis, équipe, recommandations."}, "check": "opening", "severity": "block"},
  {"key": "closing", "text": {"en": "The section “Your opinion” asks about satisfaction and skills before and after.", "fr": "La section « Votre avis » interroge sur la satisfaction et les compétences avant et après."}, "check": "closing", "severity": "block"},
  {"key": "skills", "text": {"en": "The targeted skills are named.", "fr": "Les compétences visées sont nommées."}, "check": "skills", "least": 1, "severity": "block"},
  {"key": "skill-scales", "text": {"en": "Each targeted skill is on the closing scales.", "fr": "Chaque compétence visée est sur les échelles finales."}, "check": "skills_in_closing", "severity": "warn"},
  {"key": "workload", "text": {"en": "The workload is about 25 hours (20 to 30).", "fr": "La charge de travail est d’environ 25 heures (20 à 30)."}, "check": "workload_minutes", "least": 1200, "most": 1800, "severity": "warn"},
  {"key": "leader", "text": {"en": "The team has a scientific leader.", "fr": "L’équipe a un responsable scientifique."}, "check": "team_role", "name": "scientific_leader", "severity": "block"},
  {"key": "engineer", "text": {"en": "The team has a pedagogical engineer.", "fr": "L’équipe a un ingénieur pédagogique."}, "check": "team_role", "name": "pedagogical_engineer", "severity": "block"}
]', 'The rules that the collection began with.', 'system', '2018-01-01T00:00:00Z');
