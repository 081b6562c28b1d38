// After a reconnect: carries over into the new session's lanes what the old one did not answer, in the old
// order and under the old ids, marked as sent before. One thread.
#pragma once

#include "bindings/cpp/outcomes.h"

namespace pqd {

struct Resubmission {
  MovedRecords moved;
  MovedRecords given_up;  // the old numbers of submits that were not sent again
};

// Publishes the submits and settlements of `old` that its watermarks have not passed in `fresh`, which must
// be empty and have lanes at least as large. Subscriptions and queries are not among them: whoever sent those
// sends them again. Nor are jobs that may run once at most and are in memory only, with the batch that they
// came in: they may have been given out before the daemon died, and nobody would know.
Resubmission resubmit(const ClientSession& old, ClientSession& fresh);

}  // namespace pqd
