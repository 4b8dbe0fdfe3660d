# Completion of godwit-tunnel for bash.

_godwit_tunnel() {
  local cur prev words cword
  _init_completion -n : || return

  local run='--help --key --config --congestion --give-up --keep-alive --tun --address --log-level
    --stats --status-socket --metrics --keylog'
  local command=${words[1]}
  case $prev in
    --key | --config | --keylog | --status-socket)
      _filedir
      return
      ;;
    --congestion)
      COMPREPLY=($(compgen -W 'cubic new_reno' -- "$cur"))
      return
      ;;
    --log-level)
      COMPREPLY=($(compgen -W 'debug info warning error' -- "$cur"))
      return
      ;;
    --type)
      COMPREPLY=($(compgen -W 'ed25519 p256' -- "$cur"))
      return
      ;;
    --server-key | --allow-client)
      COMPREPLY=($(compgen -W 'SHA256:' -- "$cur"))
      return
      ;;
    -L | --local | -R | --remote | -D | --socks | --listen | --allow-target | --allow-bind | \
      --give-up | --keep-alive | --tun | --address | --metrics | --count | --interval)
      return
      ;;
  esac

  local flags
  if ((cword == 1)); then
    flags='keygen server client status ping diag --help --version'
  else
    case $command in
      keygen) flags='--help --key --type --force' ;;
      server) flags="--listen --allow-client --allow-target --allow-bind $run" ;;
      client) flags="--server-key --local --remote --socks -L -R -D $run" ;;
      status) flags='--help --status-socket --json' ;;
      ping) flags='--help --server-key --key --count --interval' ;;
      diag) flags='--help' ;;
    esac
    # The server.
    if [[ $command == client || $command == ping || $command == diag ]] && [[ $cur != -* ]]; then
      _known_hosts_real -- "$cur"
      return
    fi
  fi
  COMPREPLY=($(compgen -W "$flags" -- "$cur"))
} &&
  complete -F _godwit_tunnel godwit-tunnel
