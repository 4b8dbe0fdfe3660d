// SPDX-License-Identifier: Apache-2.0
//
// DispatchEvent(): the one place where an engine's event becomes a call of an EventHandler.
#ifndef GODWIT_RUNTIME_EVENT_DISPATCHER_H_
#define GODWIT_RUNTIME_EVENT_DISPATCHER_H_

#include "godwit/engine.h"
#include "godwit/event_handler.h"

namespace godwit {

void DispatchEvent(const EngineEvent& event, Engine& engine, EventHandler& handler);

}  // namespace godwit

#endif  // GODWIT_RUNTIME_EVENT_DISPATCHER_H_
