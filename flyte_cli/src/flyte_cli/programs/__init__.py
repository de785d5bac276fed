"""What users wrote, as commands take it: files with entities, inputs as options, settings of a registration."""
