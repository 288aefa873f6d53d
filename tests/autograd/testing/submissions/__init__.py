"""Engines as a class hands them in: ten that are right, thirty with one fault each, and some that mean no good."""
