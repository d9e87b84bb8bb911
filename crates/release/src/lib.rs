//! The life of a prompt version after the gate. Empty until the registry lands here.
