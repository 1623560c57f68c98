"""Training: from columns and outcomes to an artefact. Slow and heavy; a server never comes here."""
