import type { Messages } from './en.ts';

/** 오류 문구: 무엇이 실패했는지, 왜 실패했는지, 다음에 무엇을 할지의 순서로 쓴다. */
export const koFailures: Messages['failures'] = {
  'host-not-found': {
    title: '호스트 {{host}}: 찾을 수 없음',
    body: '이름 {{host}}의 주소를 찾을 수 없습니다. SSH 대상의 철자와, 이 네트워크에서 VPN이 필요한지 확인하십시오.',
  },
  'dns-timeout': {
    title: '{{host}}: DNS 응답 없음',
    body: '이 네트워크의 이름 서버가 {{seconds}}초 안에 {{host}}의 주소를 알려 주지 않았습니다. 이 컴퓨터의 네트워크나 VPN을 확인하십시오.',
  },
  'ssh-refused': {
    title: '{{host}}: 포트 {{port}}의 연결이 거부됨',
    body: '호스트는 응답하지만 포트 {{port}}에서 SSH를 받는 프로그램이 없습니다. {{host}}에서 sshd가 실행 중인지, 포트가 맞는지 확인하십시오.',
  },
  'ssh-unreachable': {
    title: '{{host}}: 도달할 수 없음',
    body: '{{host}}, 포트 {{port}}까지 가는 경로가 없습니다: {{detail}}. 네트워크, VPN 또는 중간의 방화벽을 확인하십시오.',
  },
  'ssh-timeout': {
    title: '{{host}}: 응답 없음',
    body: '{{seconds}}초 안에 포트 {{port}}에서 응답이 없었습니다. 호스트가 꺼져 있거나 방화벽이 연결을 막고 있을 수 있습니다.',
  },
  'not-ssh': {
    title: '{{host}}, 포트 {{port}}: SSH 서버가 아님',
    body: 'SSH 식별 문자열 대신 “{{received}}” 응답이 왔습니다. SSH 대상의 호스트와 포트를 확인하십시오.',
    bodyUnnamed: '응답하는 프로그램이 SSH 서버로 식별되지 않습니다. SSH 대상의 호스트와 포트를 확인하십시오.',
  },
  'ssh-rejecting': {
    title: '{{host}}: 새 연결을 받지 않음',
    body: '포트 {{port}}의 SSH 서버가 식별 문자열을 보내기 전에 연결을 닫았습니다. 연결 수가 한도(MaxStartups)에 이르렀거나 이 주소를 잠시 차단(fail2ban)했을 수 있습니다.',
  },
  'ssh-handshake-timeout': {
    title: '{{host}}: SSH 연결 준비 시간 초과',
    body: '포트 {{port}}의 SSH 서버가 응답했지만 {{seconds}}초 안에 연결 준비가 끝나지 않았습니다. 호스트에 부하가 많을 수 있습니다.',
  },
  'ssh-handshake-failed': {
    title: '{{host}}: 안전한 연결에 합의하지 못함',
    body: '포트 {{port}}의 SSH 핸드셰이크에 실패했습니다: {{detail}}. 서버가 더 이상 안전하지 않은 알고리즘만 제공하는 것일 수 있습니다. SSH 서버를 업데이트한 다음 다시 시도하십시오.',
  },
  'link-lost': {
    title: '{{host}}: 연결이 끊어짐',
    body: 'SSH 연결이 종료되었습니다: {{detail}}. Gangway가 자동으로 다시 연결합니다.',
    bodySilent: 'SSH 연결이 이유 없이 종료되었습니다. Gangway가 자동으로 다시 연결합니다.',
  },
  'link-dead': {
    title: '{{host}}: 응답이 멈춤',
    body: '{{seconds}}초 동안 {{host}}에서 아무 응답도 오지 않아 연결이 끊어진 것으로 처리했습니다. Gangway가 자동으로 다시 연결합니다.',
  },
  'link-corrupted': {
    title: '{{host}}: 전송 중 데이터가 손상됨',
    body: '전송 중에 바뀐 데이터가 도착하여 사용하지 않고 버렸습니다. Gangway가 자동으로 다시 연결합니다. 반복되면 중간 네트워크 장비를 점검하십시오.',
  },
  'host-key-changed': {
    title: '{{host}}: 호스트 키가 변경됨',
    body: '{{host}}의 {{keyType}} 키는 {{offered}}인데, 기록된 키는 {{known}}입니다({{place}}). 누군가 연결을 가로채고 있거나 서버를 새로 설치했을 수 있습니다. 서버에는 아무것도 보내지 않았습니다. 서버 관리자에게 확인하십시오. 예정된 변경인 경우에만 이전 키를 제거한 다음 새 키를 확인하십시오.',
    bodyUnnamed:
      '{{host}}의 {{keyType}} 키 {{offered}}은(는) 기록된 키와 다릅니다({{place}}). 누군가 연결을 가로채고 있거나 서버를 새로 설치했을 수 있습니다. 서버에는 아무것도 보내지 않았습니다. 서버 관리자에게 확인하십시오. 예정된 변경인 경우에만 이전 키를 제거한 다음 새 키를 확인하십시오.',
    bodyShort:
      '누군가 연결을 가로채고 있거나 서버를 새로 설치했을 수 있습니다. 서버에는 아무것도 보내지 않았습니다. {{host}} 관리자에게 확인하고 지문을 비교하십시오. 예정된 변경인 경우에만 이전 키를 제거한 다음 새 키를 확인하십시오.',
  },
  'host-key-revoked': {
    title: '{{host}}: 폐기된 호스트 키',
    bodyUnplaced:
      'known_hosts 또는 RevokedHostKeys에 따라 서버가 제시한 키를 더 이상 신뢰할 수 없습니다. 서버에는 아무것도 보내지 않았습니다. 서버 관리자에게 새 호스트 키를 요청한 다음 다시 시도하십시오.',
    body: '{{file}} {{line}}행에서 {{fingerprint}} 키가 @revoked로 표시되어 있어 더 이상 신뢰할 수 없습니다. 서버에는 아무것도 보내지 않았습니다. 서버 관리자에게 새 호스트 키를 요청한 다음 다시 시도하십시오.',
  },
  'host-key-declined': {
    title: '{{host}}: 호스트 키를 신뢰하지 않음',
    bodyUnnamed:
      '키를 수락하지 않아 {{host}}에 아무것도 보내지 않았습니다. 서버에서 아래 명령을 실행해 실제 지문을 확인한 다음 키를 다시 확인하십시오.',
    body: '{{fingerprint}} 키를 수락하지 않아 {{host}}에 아무것도 보내지 않았습니다. 서버에서 아래 명령을 실행해 실제 지문을 확인한 다음 키를 다시 확인하십시오.',
  },
  'known-hosts-unreadable': {
    title: '알려진 호스트 키를 읽을 수 없음',
    body: '{{path}}: {{detail}}. 이 파일이 없으면 서버를 구별할 수 없으므로 연결하지 않습니다. 파일이나 권한을 고친 다음 다시 시도하십시오.',
  },
  'known-hosts-unwritable': {
    title: '신뢰한 호스트 키를 저장할 수 없음',
    body: '{{path}}: {{detail}}. 현재 사용자가 파일에 쓸 수 있게 한 다음 다시 시도하십시오.',
  },
  'auth-rejected': {
    title: '{{host}}: {{user}} 로그인이 거부됨',
    body: '시도한 키: {{tried}}. 서버가 허용하는 방식: {{offered}}. {{host}}에서 {{user}} 사용자의 ~/.ssh/authorized_keys에 공개 키를 추가하거나 다른 신원 파일 또는 사용자를 선택하십시오.',
    bodyNothingTried:
      '로그인에 쓸 수 있는 것이 없습니다. 서버에 제시할 수 있는 키가 하나도 없었습니다. 서버가 허용하는 방식: {{offered}}. {{user}} 사용자의 신원 파일이나 다른 사용자를 선택하십시오.',
    bodyMissing:
      'SSH 설정이 {{host}}의 키로 지정한 {{missing}} 파일이 없습니다. 서버가 허용하는 방식: {{offered}}. SSH 설정의 IdentityFile을 고치거나, 그 위치에 키를 두거나, 여기에서 신원 파일을 선택하십시오.',
    bodyPassword:
      '{{host}}에서 {{user}} 사용자의 비밀번호가 거부되었습니다. 사용자 이름을 확인하고 다시 로그인하십시오. 시도한 방식: {{tried}}. 서버가 허용하는 방식: {{offered}}.',
    bodyAnswers:
      '{{host}}에서 {{user}} 사용자가 입력한 내용이 거부되었습니다. 사용자 이름과 비밀번호 또는 코드를 확인하고 다시 로그인하십시오. 시도한 방식: {{tried}}. 서버가 허용하는 방식: {{offered}}.',
  },
  'auth-too-many': {
    title: '{{host}}: 시도한 키가 너무 많아 {{user}} 로그인이 종료됨',
    body: '시도한 키: {{tried}}. 서버는 정해진 횟수(MaxAuthTries)만 허용합니다. {{host}}에 사용할 신원 파일 하나를 선택하거나 SSH 설정에 IdentitiesOnly yes를 지정하면 다른 키를 보내지 않습니다.',
  },
  'no-credentials': {
    title: '{{host}}: 로그인할 키가 없음',
    body: 'SSH 에이전트와 기본 키에 {{user}} 사용자의 키가 없습니다. 찾아본 곳: {{looked}}. 신원 파일을 선택하거나 에이전트에 키를 추가하십시오.',
    bodyMissing:
      'SSH 설정이 {{host}}의 키로 지정한 {{missing}} 파일이 없습니다. SSH 설정의 IdentityFile을 고치거나, 그 위치에 키를 두거나, 여기에서 신원 파일을 선택하십시오. 찾아본 곳: {{looked}}.',
  },
  'key-unreadable': {
    title: '사용할 수 없는 키: {{path}}',
    missing: '{{path}} 파일이 없습니다. 다른 신원 파일을 선택하십시오.',
    permission:
      '현재 사용자는 {{path}} 파일을 읽을 수 없습니다. 아래 명령으로 권한을 고치거나 다른 신원 파일을 선택하십시오.',
    format:
      '{{path}} 파일은 OpenSSH, PEM 또는 PuTTY 형식의 개인 키가 아닙니다. 다른 신원 파일을 선택하십시오.',
    ppk: '{{path}} 파일은 손상되었거나 알 수 없는 형식의 PuTTY 키입니다. PuTTYgen으로 다시 저장하거나, 아래 명령으로 변환한 다음 새 파일을 선택하십시오.',
    'not-a-file': '{{path}} 항목은 폴더이거나 특수 파일입니다. 개인 키 파일을 선택하십시오.',
    unsupported:
      '{{path}} 키는 내장 SSH가 서명에 사용할 수 없는 종류입니다(예: 보안 키(sk)). “연결 방식”에서 “OpenSSH”를 선택하거나, SSH 에이전트에 추가하거나, 다른 신원 파일을 선택하십시오.',
  },
  'passphrase-declined': {
    title: '잠긴 키: {{path}}',
    body: '키가 암호화되어 있는데 암호 구문을 입력하지 않았습니다. 암호 구문을 입력하거나 다른 신원 파일을 선택하십시오.',
  },
  'passphrase-wrong': {
    title: '암호 구문이 맞지 않음: {{path}}',
    body: '입력한 암호 구문으로 {{path}} 키를 열 수 없었고, 다른 방법으로도 {{host}}에 로그인하지 못했습니다. 암호 구문을 다시 입력하거나 다른 신원 파일을 선택하십시오.',
  },
  'host-key-unknown': {
    title: '{{host}}: 기록되지 않은 호스트 키',
    bodyUnnamed:
      'SSH 설정에 StrictHostKeyChecking yes가 지정되어 있어 Gangway가 키에 대해 묻지 않습니다. 키를 확인한 다음 known_hosts에 추가하고 다시 시도하십시오.',
    body: '서버의 {{keyType}} 키는 {{fingerprint}}입니다. SSH 설정에 StrictHostKeyChecking yes가 지정되어 있어 Gangway가 묻지 않습니다. 키를 확인한 다음 {{file}}에 추가하고 다시 시도하십시오.',
  },
  'sign-in-declined': {
    title: '{{host}}: 로그인을 취소함',
    body: '{{host}}의 질문에 답하지 않아 로그인하지 않았습니다. 준비되면 다시 로그인하십시오.',
  },
  'forwarding-disabled': {
    title: '{{host}}: 포트 {{gatewayPort}} 포워딩이 금지됨',
    body: '로그인은 되었지만 SSH 서버가 127.0.0.1:{{gatewayPort}} 포워딩을 거부했습니다({{detail}}). {{host}}의 /etc/ssh/sshd_config 끝에 아래 줄을 추가하고 sshd 설정을 다시 불러온 다음 다시 시도하십시오. authorized_keys의 해당 키에 no-port-forwarding 또는 restrict가 있는지도 확인하십시오.',
  },
  'gateway-not-listening': {
    title: '{{host}}, 포트 {{gatewayPort}}: 실행 중인 게이트웨이 없음',
    body: 'SSH 연결은 유지되고 있지만 {{host}}의 127.0.0.1:{{gatewayPort}}에서 응답하는 프로그램이 없습니다. 그곳에서 게이트웨이를 시작하거나 포트를 고치십시오.',
    bodyLocal:
      '이 컴퓨터의 127.0.0.1:{{gatewayPort}}에서 응답하는 프로그램이 없습니다. 게이트웨이를 시작하거나 포트를 고치십시오.',
  },
  'forward-timeout': {
    title: '{{host}}: 포트 {{gatewayPort}} 포워딩이 열리지 않음',
    body: 'SSH 서버가 {{seconds}}초 안에 127.0.0.1:{{gatewayPort}} 포워딩 요청에 답하지 않았습니다. 서버에 부하가 많을 수 있습니다.',
  },
  'port-taken': {
    title: '이 컴퓨터의 포트 {{port}}: 이미 사용 중',
    body: '다른 프로그램이 127.0.0.1:{{port}} 주소를 사용하고 있습니다. 그 프로그램을 종료하거나 다른 로컬 포트를 사용하십시오.',
    bodyHolder:
      '127.0.0.1:{{port}} 주소를 {{command}} 프로그램(프로세스 {{pid}})이 사용하고 있습니다. 그 프로그램을 종료하거나 다른 로컬 포트를 사용하십시오.',
    next: '포트 {{nextFreePort}}번을 사용할 수 있습니다.',
  },
  'port-forbidden': {
    title: '포트 {{port}}: 시스템이 사용을 허용하지 않음',
    body: '대부분의 시스템에서 낮은 번호의 포트는 시스템 서비스용입니다. 1024 이상의 로컬 포트를 선택하십시오.',
    next: '포트 {{nextFreePort}}번을 사용할 수 있습니다.',
  },
  'target-invalid': {
    title: '“{{target}}”: 올바른 SSH 대상이 아님',
    body: 'ssh와 같은 형식으로 입력하십시오: user@host, 포트가 22가 아니면 user@host:port.',
  },
  'ssh-config-unsupported': {
    title: 'SSH 설정에서 {{directive}} 필요',
    body: '{{target}} 대상의 SSH 설정에 “{{directive}} {{value}}” 항목이 있습니다. 내장 SSH는 이를 지원하지 않으며, 무시하면 요청한 것과 다른 연결이 되므로 연결하지 않습니다. “연결 방식”에서 “OpenSSH”를 선택하거나 {{directive}} 항목이 필요 없는 대상을 사용하십시오.',
  },
  'ssh-config-invalid': {
    title: 'SSH 설정을 읽을 수 없음',
    body: '{{target}}에 대해 ssh가 다음과 같이 알렸습니다: {{detail}}. 설정(보통 ~/.ssh/config)을 고친 다음 다시 시도하십시오.',
  },
  'ssh-config-needs-openssh': {
    title: 'SSH 설정에 OpenSSH가 필요함',
    body: '{{target}}에 {{directives}} 설정이 사용됩니다. 그 의미는 OpenSSH만 정확히 알 수 있으며, 추측하면 다른 호스트로 연결될 수 있습니다. 이 컴퓨터에 OpenSSH를 설치한 다음 다시 시도하십시오.',
  },
  'openssh-missing': {
    title: 'OpenSSH가 설치되어 있지 않음',
    body: '이 연결에는 시스템의 ssh가 필요하지만 이 컴퓨터에 없습니다. {{reasons}} OpenSSH를 설치한 다음 다시 시도하십시오.',
    bodyChosen:
      '설정에서 시스템의 ssh를 선택했지만 이 컴퓨터에 없습니다. OpenSSH를 설치하거나 다른 연결 방식을 선택하십시오.',
  },
  'openssh-unavailable': {
    title: '{{system}}에서는 OpenSSH로 연결할 수 없음',
    body: '이 연결에는 OpenSSH만 지원하는 기능이 필요하지만 {{system}}용 OpenSSH는 앱에서 사용할 수 없습니다. {{reasons}} SSH 설정을 바꾸거나, 그 기능 없이 연결하려면 “내장 SSH”를 선택하십시오.',
    bodyChosen:
      '설정에서 OpenSSH를 선택했지만 {{system}}용 OpenSSH는 앱에서 사용할 수 없습니다. “연결 방식”에서 “자동” 또는 “내장 SSH”를 선택하십시오.',
  },
  'openssh-failed': {
    title: '{{host}}: ssh가 연결 없이 종료됨',
    body: '시스템의 ssh 메시지: {{detail}}.',
    bodySilent: '시스템의 ssh가 이유를 알리지 않고 종료되었습니다. 로그를 확인하십시오.',
  },
  'ssh-no-common-algorithm': {
    title: '{{host}}: 공통 {{kind}} 알고리즘이 없음',
    body: '서버가 제공하는 알고리즘: {{offered}}. 이 중 사용할 수 있는 것이 없습니다. 설정의 “연결 방식”에서 “자동”이나 “OpenSSH”를 선택하거나, SSH 설정에서 그중 하나를 허용하거나, 서버를 업데이트하십시오.',
    bodyUnknown:
      '서버가 제공하는 알고리즘 중 사용할 수 있는 것이 없습니다. 설정의 “연결 방식”에서 “자동”이나 “OpenSSH”를 선택하거나, SSH 설정에서 그중 하나를 허용하거나, 서버를 업데이트하십시오.',
  },
  'jump-unreachable': {
    title: '{{jump}}: {{host}}에 연결할 수 없음',
    body: '점프 호스트에는 연결되었지만 {{host}} 포트 {{port}}에 연결할 수 없습니다: {{detail}}.',
  },
  'jump-forbidden': {
    title: '{{jump}}: {{host}} 연결을 허용하지 않음',
    body: '점프 호스트가 {{host}} 포트 {{port}} 포워딩을 거부했습니다: {{detail}}. 관리자에게 문의하거나(AllowTcpForwarding, PermitOpen) 다른 경로를 사용하십시오.',
  },
  'proxy-command-failed': {
    title: '{{host}}: ProxyCommand 실패',
    body: '연결되기 전에 “{{command}}” 명령이 종료되었습니다(종료 상태 {{exitCode}}): {{detail}}.',
    bodySilent: '연결되기 전에 “{{command}}” 명령이 아무 메시지 없이 종료되었습니다(종료 상태 {{exitCode}}).',
    bodySignal: '연결되기 전에 “{{command}}” 명령이 중단되었습니다: {{detail}}.',
  },
  'proxy-command-not-found': {
    title: '{{host}}: ProxyCommand를 실행할 수 없음',
    body: '“{{command}}”: {{detail}}. 프로그램을 설치하거나 SSH 설정의 ProxyCommand를 고치십시오.',
  },
  'gateway-unreachable': {
    title: '{{url}}: 응답하는 게이트웨이 없음',
    body: '연결하지 못했습니다: {{detail}}. 주소와 게이트웨이의 실행 여부를 확인하십시오.',
    bodyLocal: '연결하지 못했습니다: {{detail}}. 이 컴퓨터에서 게이트웨이를 시작하거나 포트를 고치십시오.',
  },
  'gateway-url-invalid': {
    title: '“{{url}}”: 게이트웨이 주소가 아님',
    body: 'wss://host 또는 wss://host:port 형식으로 입력하십시오. ws://는 이 컴퓨터, 사설 네트워크, tailnet에만 사용할 수 있습니다.',
  },
  'gateway-url-insecure': {
    title: '{{url}}: 암호화되지 않은 주소',
    body: 'ws://를 사용하면 토큰과 모든 메시지가 암호화 없이 네트워크를 지나므로 연결하지 않습니다. wss:// 또는 SSH를 통한 원격을 사용하십시오.',
  },
  'tls-rejected': {
    title: '{{url}}: 인증서를 신뢰할 수 없음',
    body: '서버의 신원을 확인할 수 없습니다: {{detail}}. 서버에는 아무것도 보내지 않았습니다. 주소를 확인하거나 인증서를 고친 다음 다시 시도하십시오.',
  },
  'not-a-gateway': {
    title: '{{url}}: OpenClaw 게이트웨이가 아님',
    body: '응답이 게이트웨이 프로토콜이 아닙니다: {{detail}}. 포트를 확인하십시오.',
  },
  'gateway-silent': {
    title: '{{gateway}}: 게이트웨이 응답 없음',
    body: '경로는 열려 있지만 {{seconds}}초 안에 응답이 없었습니다. 게이트웨이가 바쁘거나 멈췄을 수 있습니다. 계속 응답이 없으면 게이트웨이를 다시 시작하십시오.',
  },
  'gateway-starting': {
    title: '{{gateway}}: 게이트웨이 시작 중',
    body: '응답은 하지만 아직 준비되지 않았습니다. Gangway가 자동으로 다시 시도합니다.',
    bodyIn:
      '응답은 하지만 아직 준비되지 않았습니다. 게이트웨이의 요청에 따라 {{seconds}}초 후 다시 시도합니다.',
  },
  'gateway-restarting': {
    title: '{{gateway}}: 게이트웨이 다시 시작 중',
    body: '게이트웨이가 다시 시작한다고 알리고 세션을 닫았습니다. 준비되면 Gangway가 바로 연결합니다.',
    bodyIn:
      '게이트웨이가 다시 시작한다고 알리고 세션을 닫았으며, {{seconds}}초 후 준비될 예정입니다. 준비되면 Gangway가 바로 연결합니다.',
  },
  'gateway-closed': {
    title: '{{gateway}}: 게이트웨이가 세션을 닫음',
    body: '이유를 알리지 않았습니다(종료 코드 {{code}}). Gangway가 자동으로 다시 연결합니다.',
    bodyReason: '이유: {{reason}}(종료 코드 {{code}}). Gangway가 자동으로 다시 연결합니다.',
  },
  'token-missing': {
    title: '{{gateway}}: 게이트웨이 토큰 필요',
    body: '저장된 토큰이 없습니다. 게이트웨이 호스트의 터미널에서 아래 명령을 실행하고 출력된 값을 입력하십시오.',
  },
  'token-mismatch': {
    title: '{{gateway}}: 게이트웨이 토큰이 맞지 않음',
    body: '저장된 토큰이 틀렸거나 게이트웨이에서 변경되었습니다. 게이트웨이 호스트의 터미널에서 아래 명령을 실행하고 출력된 값을 입력하십시오.',
  },
  'password-missing': {
    title: '{{gateway}}: 게이트웨이 비밀번호 필요',
    body: '저장된 비밀번호가 없습니다. 게이트웨이의 비밀번호(게이트웨이 설정의 gateway.auth.password)를 입력하십시오.',
  },
  'password-mismatch': {
    title: '{{gateway}}: 게이트웨이 비밀번호가 맞지 않음',
    body: '저장된 비밀번호가 틀렸거나 게이트웨이에서 변경되었습니다. 현재 비밀번호(게이트웨이 설정의 gateway.auth.password)를 입력하십시오.',
  },
  'device-token-rejected': {
    title: '{{gateway}}: 이 장치의 접근이 더 이상 허용되지 않음',
    body: '이 장치에 허용되었던 접근이 변경되거나 취소되었습니다: {{reason}}. 장치 토큰을 지우면 새로 로그인합니다. 이때 게이트웨이가 승인을 요청할 수 있습니다.',
  },
  'device-identity-rejected': {
    title: '{{gateway}}: 이 장치의 신원이 거부됨',
    body: '이 장치의 서명이 인정되지 않았습니다: {{reason}}. 두 컴퓨터의 시각이 맞는지 확인한 다음 다시 시도하십시오.',
  },
  'pairing-required': {
    title: '{{gateway}}: 이 장치의 승인 필요',
    body: '게이트웨이 호스트에서 아래 명령을 실행하십시오. 이유: {{reason}}. 이 장치: {{deviceId}}.',
    bodyList:
      '게이트웨이 호스트에서 아래 명령을 실행하고 “openclaw devices approve”로 이 장치의 요청을 승인하십시오. 이유: {{reason}}. 이 장치: {{deviceId}}.',
  },
  'scope-missing': {
    title: '{{gateway}}: 이 장치의 권한 부족',
    body: '부족한 권한: {{scopes}}. 게이트웨이 호스트에서 아래 명령으로 요청된 권한과 승인된 권한을 비교하고 요청을 승인한 다음 다시 시도하십시오.',
  },
  'protocol-mismatch': {
    title: '{{gateway}}: 프로토콜 버전이 맞지 않음',
    body: 'Gangway의 프로토콜 버전은 {{ours}}이고, 게이트웨이는 이를 지원하지 않습니다: {{detail}}. 더 오래된 쪽을 업데이트한 다음 다시 시도하십시오.',
    bodyGatewayOlder:
      'Gangway의 프로토콜 버전은 {{ours}}, 게이트웨이는 {{theirs}}입니다. 게이트웨이 호스트에서 아래 명령으로 게이트웨이를 업데이트한 다음 다시 시도하십시오.',
    bodyGangwayOlder:
      'Gangway의 프로토콜 버전은 {{ours}}, 게이트웨이는 {{theirs}}입니다. Gangway를 업데이트한 다음 다시 시도하십시오.',
  },
  'rate-limited': {
    title: '{{gateway}}: 로그인 실패가 너무 많음',
    body: '게이트웨이가 로그인을 잠시 막았습니다. 시간이 지나면 Gangway가 다시 시도합니다. 그동안 토큰이나 비밀번호를 확인하십시오.',
    bodyIn:
      '게이트웨이가 {{seconds}}초 동안 로그인을 막았습니다. 시간이 지나면 Gangway가 다시 시도합니다. 그동안 토큰이나 비밀번호를 확인하십시오.',
  },
  'frame-too-large': {
    title: '{{gateway}}: 메시지가 너무 큼',
    body: '{{detail}}. Gangway가 자동으로 다시 연결합니다.',
  },
  'slow-consumer': {
    title: '{{gateway}}: 이 컴퓨터의 수신이 늦음',
    body: '메시지를 제때 받지 못해 게이트웨이가 세션을 종료했습니다. Gangway가 다시 연결하고 빠진 내용을 불러옵니다.',
  },
  'gateway-rejected': {
    title: '{{gateway}}: 게이트웨이가 연결을 거부함',
    body: '게이트웨이의 응답: {{detail}}({{detailCode}}). 게이트웨이의 로그에서 자세한 내용을 확인할 수 있습니다.',
  },
  'tunnel-process-crashed': {
    title: '터널 프로세스가 작동을 멈춤',
    body: '프로세스가 응답하지 않거나 시스템에 의해 종료되었습니다. Gangway가 자동으로 다시 시작합니다. 반복되면 로그를 확인하십시오.',
    bodyCode:
      '프로세스가 비정상 종료되었습니다(종료 코드 {{exitCode}}). Gangway가 자동으로 다시 시작합니다. 반복되면 로그를 확인하십시오.',
  },
  'secrets-unavailable': {
    title: '키체인을 사용할 수 없음',
    body: '{{gateway}} 연결에 필요한 비밀 값을 이 컴퓨터의 키체인에서 읽을 수 없습니다: {{detail}}. 키체인의 잠금을 해제한 다음 다시 시도하십시오.',
  },
  'storage-failed': {
    title: '변경 내용을 저장할 수 없음',
    body: '{{path}}: {{detail}}. 여유 공간과 권한을 확인한 다음 다시 시도하십시오.',
  },
  'message-not-kept': {
    title: '메시지를 보내지 않음',
    body: '메시지를 이 컴퓨터의 디스크에 기록할 수 없어({{detail}}) 보내지 않았습니다. 기록하지 않으면 비정상 종료 시 사라질 수 있습니다. 입력한 내용은 입력란에 그대로 있습니다. 여유 공간과 권한을 확인한 다음 다시 보내십시오.',
    bodyFull:
      '이 게이트웨이로 보낼 메시지가 이미 너무 많이 대기하고 있습니다. 입력한 내용은 입력란에 그대로 있습니다. 필요 없는 메시지를 삭제하거나, 일부가 전송된 다음 다시 보내십시오.',
    bodyNewer:
      '이 컴퓨터의 메시지 파일은 더 새로운 Gangway가 저장한 것이어서 읽기만 할 수 있습니다. 입력한 내용은 입력란에 그대로 있습니다. Gangway를 업데이트한 다음 다시 보내십시오.',
  },
  bug: {
    title: 'Gangway 내부 오류',
    body: '예상하지 못한 일이 발생했습니다: {{detail}}. 자세한 내용은 로그에 있습니다. 다시 시도하면 해결될 수 있습니다.',
  },
  none: '없음',
  noDetail: '이유를 알 수 없음',
};

export const koFailureAgent: Messages['failureAgent'] = {
  missing: 'SSH 에이전트가 실행되고 있지 않습니다. 소켓에서 아무 응답이 없습니다.',
  silent: 'SSH 에이전트에서 쓸 수 있는 응답이 오지 않았습니다.',
  refused: 'SSH 에이전트가 키 사용을 거부했습니다.',
  empty: 'SSH 에이전트에 키가 없습니다. 에이전트가 잠겨 있을 수 있습니다.',
};

export const koFailureGoesOn: Messages['failureGoesOn'] = {
  trying: 'Gangway가 계속 시도합니다.',
  looking: 'Gangway가 계속 확인합니다.',
  slowly: 'Gangway가 간격을 두고 다시 시도합니다.',
  approval: '이 장치가 승인되면 Gangway가 자동으로 연결합니다.',
};

export const koFailureActions: Messages['failureActions'] = {
  retry: '다시 시도',
  retryNow: '지금 다시 시도',
  removeHostKeys: '이전 키 제거…',
  reviewHostKey: '키 다시 확인',
  enterPassphrase: '암호 구문 입력',
  signIn: '로그인',
  usePort: '포트 {{port}} 사용',
  forgetDeviceToken: '장치 토큰 지우기',
  copyCommand: '명령 복사',
  copyLines: '설정 줄 복사',
  showLog: '로그 보기',
  openHelp: '자세히 보기',
  settings: {
    any: '설정 열기',
    sshTarget: 'SSH 대상 변경',
    identityFile: '신원 파일 선택',
    sshTransport: '연결 방식 선택',
    gatewayPort: '게이트웨이 포트 변경',
    localPort: '로컬 포트 변경',
    localGatewayPort: '게이트웨이 포트 변경',
    directUrl: '주소 변경',
    token: '토큰 입력',
    password: '비밀번호 입력',
  },
};
