"""What an own key may be used for: the owner's rules, apart from the signing itself."""
