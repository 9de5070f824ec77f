"""The owner's policy: rules that decide what an own key may sign."""
