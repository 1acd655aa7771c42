"""The change as a state machine of a cloud (AWS Step Functions): it waits, times and repeats; our decider decides."""
