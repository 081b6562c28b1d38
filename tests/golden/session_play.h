// Plays what a client of ABI version 1 wrote, a text of lines, to a daemon:
//
//   # words              for people
//   hello HEX            the first message
//   LANE HEX             a record, alone
//   hold LANE HEX        a record that is published together with the next one of its lane
//   wait WHAT N          until there are so many receipts, deliveries or ends of answers, since the hello
//   restart              the daemon ends and another one begins
//
// HEX may have {id LANE.COUNTER}, the id of this session's job, and {token N}, the lease that came with the
// N-th delivery; {was id ...} and {was token ...}, of the session before; and {session} and {secret}, by
// which that one is resumed. Like RawSession not to be changed with the library.
#pragma once

#include <functional>

#include "tests/golden/raw_session.h"

namespace pqd::test {

struct Played {
  // What the daemon wrote in each session: the welcome, then all receipts, deliveries and answers.
  std::string text;
  std::string fault;  // the line that could not be played; "" = all were
};

// `restart`: false = the daemon did not come back.
Played play_session(const std::string& socket, const std::string& script,
                    const std::function<bool()>& restart);

// The first message of the script.
Record hello_of(const std::string& script);

}  // namespace pqd::test
