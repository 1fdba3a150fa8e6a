"""Reads and clicks StatusNotifierItems on the session bus; one JSON request on standard input, one JSON answer out.

Item and menu interfaces: freedesktop.org's StatusNotifierItem draft and com.canonical.dbusmenu.
"""
import json
import sys
import time

import dbus

WATCHER = 'org.kde.StatusNotifierWatcher'
ITEM = 'org.kde.StatusNotifierItem'
MENU = 'com.canonical.dbusmenu'
PROPERTIES = 'org.freedesktop.DBus.Properties'

bus = dbus.SessionBus()


def plain(value):
    if isinstance(value, dbus.Boolean):
        return bool(value)
    if isinstance(value, dbus.String) or isinstance(value, dbus.ObjectPath):
        return str(value)
    if isinstance(value, (dbus.Int16, dbus.Int32, dbus.Int64, dbus.UInt16, dbus.UInt32, dbus.UInt64, dbus.Byte)):
        return int(value)
    if isinstance(value, dbus.Double):
        return float(value)
    if isinstance(value, dict):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    return value


def has_owner(name):
    return bool(bus.get_object('org.freedesktop.DBus', '/').NameHasOwner(name, dbus_interface='org.freedesktop.DBus'))


def item_addresses():
    watcher = bus.get_object(WATCHER, '/StatusNotifierWatcher')
    items = watcher.Get(WATCHER, 'RegisteredStatusNotifierItems', dbus_interface=PROPERTIES)
    for item in items:
        service, slash, path = str(item).partition('/')
        yield service, (slash + path) if slash else '/StatusNotifierItem'


def pid_of(service):
    return int(
        bus.get_object('org.freedesktop.DBus', '/').GetConnectionUnixProcessID(
            service, dbus_interface='org.freedesktop.DBus'
        )
    )


def read_item(service, path):
    props = bus.get_object(service, path).GetAll(ITEM, dbus_interface=PROPERTIES)
    tip = props.get('ToolTip')
    icons = [{'width': int(w), 'height': int(h), 'bytes': len(data)} for (w, h, data) in props.get('IconPixmap', [])]
    return {
        'service': service,
        'pid': pid_of(service),
        'id': plain(props.get('Id', '')),
        'title': plain(props.get('Title', '')),
        'status': plain(props.get('Status', '')),
        'tooltip': plain(tip[2]) if tip else '',
        'tooltipText': plain(tip[3]) if tip else '',
        'iconName': plain(props.get('IconName', '')),
        'icons': icons,
        'menuPath': plain(props.get('Menu', '')),
    }


def flatten(node):
    identity, props, children = int(node[0]), plain(node[1]), node[2]
    return {
        'id': identity,
        'label': props.get('label', '').replace('_', ''),
        'type': props.get('type', 'standard'),
        'enabled': props.get('enabled', True),
        'visible': props.get('visible', True),
        'toggle': props.get('toggle-type', ''),
        'checked': props.get('toggle-state', 0) == 1,
        'children': [flatten(child) for child in children],
    }


def menu_of(item):
    return bus.get_object(item['service'], item['menuPath'])


def read_menu(item):
    menu = menu_of(item)
    # Electron builds the menu when it is about to show; without this GetLayout fails.
    menu.AboutToShow(dbus.Int32(0), dbus_interface=MENU)
    _, layout = menu.GetLayout(dbus.Int32(0), dbus.Int32(-1), dbus.Array([], signature='s'), dbus_interface=MENU)
    return flatten(layout)['children']


def pick(request):
    for service, path in item_addresses():
        item = read_item(service, path)
        if request.get('pid') is None or item['pid'] in request['pid']:
            return item
    raise LookupError('no tray item of the app')


def entries(nodes):
    for node in nodes:
        yield node
        yield from entries(node['children'])


def answer(request):
    action = request['action']
    if action == 'has-owner':
        return has_owner(request['name'])
    if action == 'items':
        return [read_item(service, path) for service, path in item_addresses()] if has_owner(WATCHER) else []
    item = pick(request)
    if action == 'item':
        return item
    if action == 'menu':
        return read_menu(item)
    if action == 'activate':
        bus.get_object(item['service'], '/StatusNotifierItem').Activate(dbus.Int32(0), dbus.Int32(0), dbus_interface=ITEM)
        return True
    if action == 'click':
        for entry in entries(read_menu(item)):
            if entry['label'] == request['label']:
                stamp = dbus.UInt32(int(time.time()))
                menu_of(item).Event(
                    dbus.Int32(entry['id']), 'clicked', dbus.Int32(0, variant_level=1), stamp, dbus_interface=MENU
                )
                return True
        raise LookupError('no entry named ' + request['label'])
    raise ValueError(action)


try:
    print(json.dumps({'ok': answer(json.load(sys.stdin))}))
except (dbus.DBusException, LookupError) as error:
    print(json.dumps({'error': str(error)}))
