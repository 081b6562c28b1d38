// After a reconnect: carries over into the new session's lanes what the old one did not answer, in the old
// order and under the old ids, marked as sent before. One thread.
#pragma once

#include "bindings/cpp/outcomes.h"

namespace pqd {

// Publishes the submits and settlements of `old` that its watermarks have not passed in `fresh`, which must
// be empty and have lanes at least as large. Subscriptions and queries are not among them: whoever sent those
// sends them again.
MovedRecords resubmit(const ClientSession& old, ClientSession& fresh);

}  // namespace pqd
