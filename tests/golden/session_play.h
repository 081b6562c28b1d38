// Plays what a client of ABI version 1 wrote, a text of lines, to a daemon:
//
//   # words              for people
//   hello HEX            the first message
//   LANE HEX             a record, alone
//   hold LANE HEX        a record that is published together with the next one of its lane
//   wait WHAT N          until there are so many receipts, deliveries or ends of answers, since the beginning
//
// HEX may have {id LANE.COUNTER}, the id of this session's job, and {token N}, the lease that came with the
// N-th delivery. Like RawSession not to be changed with the library.
#pragma once

#include "tests/golden/raw_session.h"

namespace pqd::test {

struct Played {
  std::string text;   // what the daemon wrote: the welcome, then all receipts, deliveries and answers
  std::string fault;  // the line that could not be played; "" = all were
};

Played play_session(const std::string& socket, const std::string& script);

// The first message of the script.
Record hello_of(const std::string& script);

}  // namespace pqd::test
