"""Encoders in torch and transformers: tasks, labelling, the ensemble; the rooms of training, Gen-LM and masked LMs."""
