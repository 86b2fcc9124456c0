"""What `hourmarkd doctor` looks at: each room says what is sound, what is not, and what mends it."""

from issuer.doctor.examination import examine
from issuer.doctor.finding import Finding, Level

__all__ = ["Finding", "Level", "examine"]
