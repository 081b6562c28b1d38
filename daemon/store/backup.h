// Takes a copy that the daemon made beside its store to where a backup is kept, and makes sure of it. Run by
// whoever may read the store, not by the daemon. One thread.
#pragma once

#include <string>

#include "daemon/store/store_check.h"
#include "daemon/store/store_error.h"
#include "shm/unique_fd.h"

namespace pqd {

// One backup of a store at a time: held until the copy has been taken. kUnavailable: somebody else makes one.
StoreResult<UniqueFd> lock_backup(const std::string& state_directory);

// `copy`: as Database::copy_beside() left it; it is gone afterwards. `to` must not exist; it is there in
// whole, synced, with a witness of its own and without a fault, or not at all. A restore is to give it the
// state directory's name.
StoreResult<StoreReport> take_backup(const std::string& copy, const std::string& to);

}  // namespace pqd
