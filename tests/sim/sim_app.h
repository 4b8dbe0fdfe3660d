// SPDX-License-Identifier: Apache-2.0
//
// SimApp: an application on a node. It is told what its endpoint reports and when a time has come
// that it asked for, and acts on its connections. SimHost is what it sees of its node.
#ifndef GODWIT_TESTS_SIM_SIM_APP_H_
#define GODWIT_TESTS_SIM_SIM_APP_H_

#include "godwit/time.h"
#include "transport/endpoint/endpoint.h"

namespace godwit {

class SimHost {
 public:
  virtual ~SimHost() = default;

  virtual Timestamp now() const = 0;
  virtual Endpoint& endpoint() = 0;
  // Asks for SimApp::OnTime().
  virtual void WakeAt(Timestamp time) = 0;
};

class SimApp {
 public:
  virtual ~SimApp() = default;

  virtual void OnEvent(SimHost& host, const EndpointEvent& event) = 0;
  virtual void OnTime(SimHost& host) = 0;
  // Whether all that it wanted to send is written, and what it awaited has come.
  virtual bool IsDone() const = 0;
};

}  // namespace godwit

#endif  // GODWIT_TESTS_SIM_SIM_APP_H_
