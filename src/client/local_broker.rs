//! No cluster configured: join the user's mini broker, or start this binary as one. Imports nothing of broker/.
