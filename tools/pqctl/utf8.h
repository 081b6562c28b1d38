// Text of unknown origin on a terminal: is it UTF-8, how many columns does it take, how does it become
// harmless (no control characters, no escape sequences) and how is it cut to a width.
#pragma once

#include <string>
#include <string_view>

namespace pqd::ctl {

struct CodePoint {
  char32_t value = 0;
  size_t bytes = 1;  // that it takes in the text; 1 for an invalid byte
  bool valid = false;
};
// REQUIRES: !text.empty().
CodePoint first_code_point(std::string_view text);

bool valid_utf8(std::string_view text);

// One line: white space becomes a space, every other control character, invalid byte and change of writing
// direction the replacement character.
std::string one_line(std::string_view text);

// Does it move the cursor, command the terminal or turn the line around?
bool is_unruly(char32_t c);

// The same lines: only newlines and tabs of what one_line() replaces stay.
std::string harmless(std::string_view text);

// Columns on a terminal: 0 for combining marks, 2 for wide characters. REQUIRES: one_line() text.
size_t columns_of(std::string_view text);

// At most `columns` wide, with an ellipsis where something was cut. REQUIRES: one_line() text.
std::string shorten(std::string_view text, size_t columns);

// The bytes of the longest prefix that is at most `columns` wide. REQUIRES: one_line() text.
size_t prefix_bytes(std::string_view text, size_t columns);

// The bytes of `text` without a character that has only begun at its end.
size_t whole_bytes(std::string_view text);

// The last bytes of `text`, at most `bytes`, without half a character in front.
std::string_view tail_of(std::string_view text, size_t bytes);

}  // namespace pqd::ctl
