// A session that an earlier supervisor left, looked at part by part and made whole again: with a Down that we
// can write, which its client is to be told of. One thread.
#pragma once

#include <expected>
#include <string>

#include "daemon/supervisor/inherited_fds.h"
#include "daemon/supervisor/session.h"

namespace pqd {

// Its id, watch and state are still to be given. REQUIRES: no engine of an earlier supervisor lives. The
// error says what is wrong with it; then the parts are the caller's still.
std::expected<Session, std::string> take_back(uint64_t number, SessionParts& parts);

}  // namespace pqd
