// The parts of broken_rules() that have files of their own.
#pragma once

#include <tuple>

#include "tests/support/check/history.h"

namespace pqd::check {

// Leases in the order in which they were given out.
using Lease = std::tuple<uint32_t, uint64_t, JobNo>;
inline Lease lease_of(const LeaseToken& token) { return {token.epoch, token.lease, token.job}; }

// Dead letters: their lives, and what those who look after them were told.
void broken_lives(const History& history, std::vector<std::string>& broken);
// Schedules and their runs.
void broken_schedules(const History& history, std::vector<std::string>& broken);

}  // namespace pqd::check
