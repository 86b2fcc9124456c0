"""What a text must be, said in words: nobody who types reads patterns."""

from __future__ import annotations

from pydantic import ValidationError, ValidatorFunctionWrapHandler, WrapValidator


def worded(says: str) -> WrapValidator:
    """Behind a `Field` with a pattern: `says` what to write, where the text does not match it."""

    def check(text: object, handler: ValidatorFunctionWrapHandler) -> object:
        try:
            return handler(text)
        except ValidationError as error:
            if any(each["type"] == "string_pattern_mismatch" for each in error.errors()):
                raise ValueError(says) from None
            raise

    return WrapValidator(check)


ONE_LINE = worded("write it in one line, without control characters")
