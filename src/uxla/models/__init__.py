"""Encoders in torch and transformers: tasks, labelling, the ensemble; folders for training, Gen-LM and masked LMs."""
